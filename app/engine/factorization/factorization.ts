import { copy, copyGrid, packProducts, packSegments, product, productGrid, type Product } from '../../../kernels/factorize/factorize';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder, type Program } from '../gpu/recorder';
import { productPlan, type FactorLayout, type Operand, type ProductPlan, type ProductStage } from './layout';

/**
 * Weights composed from trained factors. The model, the spectra and every evaluation read `weights`; the optimizer sees the
 * factors alone. All products of one kind are one dispatch, whatever the number of matrices.
 */
export class Factorization {
  /** The weights as the model reads them, layout `layout.effective`; current after `recordCompose`. */
  readonly weights: View;
  /** Gradients of `weights`, written by the backward pass. */
  readonly weightGrads: View;
  private readonly plan: ProductPlan;
  private readonly buffers: Readonly<Record<Operand, View>>;
  private readonly owned: View[] = [];
  private readonly table: View;
  private readonly segments: View;
  private program: Program | undefined;

  /** `params` and `grads` are arenas of the layout `layout.trained`, in buffers of their own. @throws OutOfMemoryError */
  constructor(
    private readonly gpu: Gpu,
    readonly layout: FactorLayout,
    { params, grads }: { params: View; grads: View },
  ) {
    this.plan = productPlan(layout);
    const make = (label: string, bytes: number): View => {
      const view = gpu.buffers.allocate(label, bytes);
      this.owned.push(view);
      return view;
    };
    const { sizes } = this.plan;
    this.weights = make('weights', layout.effective.total * 4);
    this.weightGrads = make('weight gradients', layout.effective.total * 4);
    this.buffers = {
      params,
      grads,
      weights: this.weights,
      weightGrads: this.weightGrads,
      chain0: make('factors.chain0', sizes.chain0 * 4),
      chain1: make('factors.chain1', sizes.chain1 * 4),
      back0: make('factors.back0', sizes.back0 * 4),
      back1: make('factors.back1', sizes.back1 * 4),
    };
    const all = this.stages.flatMap((stage) => stage.products);
    this.table = gpu.upload('factors.products', packProducts(all));
    this.segments = gpu.upload('factors.segments', packSegments(layout.shared));
    this.owned.push(this.table, this.segments);
  }

  private get stages(): readonly ProductStage[] {
    return [...this.plan.compose, ...this.plan.backward];
  }

  /** Bytes on the GPU besides `params` and `grads`. */
  get bytes(): number {
    return this.owned.reduce((sum, view) => sum + view.size, 0);
  }

  /** Factors → weights; after every change of the trained parameters. */
  recordCompose(recorder: Recorder): void {
    this.recordCopy(recorder, 'params', 'weights', false);
    this.recordStages(recorder, this.plan.compose, 0);
  }

  /** weightGrads → grads; after the backward pass, with the factors that the weights were composed from. */
  recordGradients(recorder: Recorder): void {
    this.recordCopy(recorder, 'weightGrads', 'grads', true);
    this.recordStages(
      recorder,
      this.plan.backward,
      this.plan.compose.reduce((sum, s) => sum + s.products.length, 0),
    );
  }

  private recordCopy(recorder: Recorder, from: Operand, to: Operand, back: boolean): void {
    const { shared } = this.layout;
    if (shared.length === 0) return;
    recorder.dispatch(copy, {
      params: { back: back ? 1 : 0 },
      buffers: [this.segments, this.buffers[from], this.buffers[to]],
      grid: copyGrid(shared),
    });
  }

  private recordStages(recorder: Recorder, stages: readonly ProductStage[], first: number): void {
    for (const { a, b, out, products } of stages) {
      recorder.dispatch(product, {
        params: { first },
        buffers: [this.table, this.buffers[a], this.buffers[b], this.buffers[out]],
        grid: productGrid(products),
        work: flops(products),
      });
      first += products.length;
    }
  }

  /** Compiles what `compose` runs. */
  async build(): Promise<void> {
    if (this.program) return;
    const recorder = new Recorder(this.gpu, 'compose').setPhase('other');
    this.recordCompose(recorder);
    this.program = await recorder.build();
  }

  /** Composes the weights now, outside a step. @throws Error before `build` */
  compose(): void {
    if (!this.program) throw new Error('the factorization is not built');
    this.program.run();
  }

  dispose(): void {
    this.program?.dispose();
    this.program = undefined;
    for (const view of this.owned) this.gpu.buffers.free(view);
  }
}

const flops = (products: readonly Product[]): number => products.reduce((sum, { m, n, k }) => sum + 2 * m * n * k, 0);
