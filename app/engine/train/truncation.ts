import type { Cut, CutBy, CutChoice, ModelFigures, TruncationReport } from '../../protocol/truncation';
import { ConfigError } from '../../protocol/experiment';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Program } from '../gpu/recorder';
import { StepTimer } from '../gpu/timestamps';
import type { SvdWorkspace } from '../linalg/svdWorkspace';
import { imageFlops, matrixParameters, rankOfEnergy, rankOfFraction, storedParameters, thinElements } from '../model/factored';
import { FactoredWeights, type FactoredBuffers } from '../model/factoredWeights';
import type { WeightMatrix } from '../model/matrices';
import { linearLayers, type VitPlan } from '../model/memory';
import type { ParameterTable, VitConfig } from '../model/parameters';
import type { VitModel } from '../model/vit';
import type { GpuDataset } from '../ops/gather';
import type { RecordLinear } from '../ops/linear';
import type { MatmulTuning } from '../ops/matmul';
import { Evaluator } from './evaluator';
import { checkBatch, predictionOf } from './handBatch';
import type { Tensor } from './safetensors';
import { tensorsOf } from './weights';

/** State of a run: two moments with the same version have the same weights. */
export interface WeightsMark {
  readonly version: number;
  readonly step: number;
}

export interface TruncationOptions {
  readonly config: VitConfig;
  readonly table: ParameterTable;
  readonly tuning: MatmulTuning;
  /** Predictions store activations in half precision, as the model of the bench does. */
  readonly halves: boolean;
  /** The weights that are truncated, in the table's layout. */
  readonly weights: View;
  /** Which of them; see `truncatedMatrices`. */
  readonly matrices: readonly WeightMatrix[];
  readonly mark: () => WeightsMark;
  /** Of the run's other decompositions; used where it is large enough. */
  readonly workspace?: SvdWorkspace;
}

/** What evaluates: a model without a backward pass, shared with the run's validation, and the images. */
export interface TestBench {
  readonly model: VitModel;
  readonly batch: number;
  readonly dataset: GpuDataset;
}

/** The weights of one moment: `params` as they were, and truncated where linear layers go by `linear`. */
export interface TakenWeights extends Pick<WeightsMark, 'step'> {
  readonly params: View;
  readonly linear: RecordLinear;
}

export interface MeasureOptions {
  readonly by: CutBy;
  readonly values: readonly number[];
  /** First test images, at most all. */
  readonly count: number;
  /** Takes the weights as they are now; otherwise those of the last time, if there was one. */
  readonly fresh: boolean;
  /** Nothing else is queued on the device, so that the wall clock may measure. */
  readonly quiet: () => boolean;
  /** After the full model and after each cut. */
  readonly onCut?: (report: TruncationReport) => void;
  /** Asked before each cut: true ends the measurement with what there is. */
  readonly stop?: () => boolean;
}

/**
 * Truncates a run's weights and runs the factored model. Works on a copy of the weights, taken at one moment of the queue, so that
 * training goes on beside it and nothing of the run is touched. Owns its buffers; one thing after the other.
 */
export class Truncation {
  private readonly copy: View;
  private readonly factored: FactoredWeights;
  private readonly plan: VitPlan | undefined;
  private readonly timer: StepTimer | undefined;
  private readonly evaluator: Evaluator | undefined;
  private readonly buffers: FactoredBuffers | undefined;
  private full: Program | undefined;
  private taken: WeightsMark | undefined;
  /** When that was, by performance.now(), and how long the decomposition took. */
  takenAt = -Infinity;
  private cost = 0;
  private sigma: readonly Float32Array[] = [];
  /** Figures of the weights taken, by what was asked. */
  private readonly known = new Map<string, ModelFigures>();
  private chain: Promise<unknown> = Promise.resolve();
  private closed = false;

  private constructor(
    private readonly gpu: Gpu,
    private readonly o: TruncationOptions,
    bench: TestBench | undefined,
  ) {
    const { matrices, workspace, weights, config, tuning } = o;
    this.copy = gpu.buffers.allocate('truncation.weights', weights.size);
    const { long, short } = FactoredWeights.workspaceFor(matrices);
    const fits = workspace && workspace.size.long >= long && workspace.size.short >= short;
    this.factored = new FactoredWeights(gpu, { matrices, arena: this.copy, ...(fits && { workspace }) });
    if (!bench) return;
    this.plan = { config, batch: bench.batch, training: false, tuning };
    this.timer = StepTimer.create(gpu);
    this.evaluator = new Evaluator(gpu, bench.model, bench.batch, bench.dataset, this.timer);
    this.buffers = this.allocate(this.plan);
  }

  /** Allocates and compiles. Without a bench only predictions and export are possible. @throws ConfigError, OutOfMemoryError */
  static async create(gpu: Gpu, o: TruncationOptions, bench?: TestBench): Promise<Truncation> {
    if (o.matrices.length === 0) throw new ConfigError('method.targetModules', 'No matrix is chosen, so there is nothing to truncate.');
    const truncation = await gpu.guard('the truncated model', () => new Truncation(gpu, o, bench));
    try {
      await truncation.factored.build();
      truncation.full = await truncation.evaluator?.record(truncation.copy);
      return truncation;
    } catch (error) {
      truncation.free();
      throw error;
    }
  }

  get canEvaluate(): boolean {
    return this.evaluator !== undefined;
  }

  private allocate(plan: VitPlan): FactoredBuffers {
    const { layers } = this.factored;
    const rows = new Map(linearLayers(plan).map(({ name, shape }) => [name, shape.rows]));
    const { buffers } = this.gpu;
    return {
      thin: buffers.allocate('truncation.thin', thinElements(plan, layers) * 4),
      scratch: buffers.allocate('truncation.scratch', Math.max(256, this.factored.scratchBytes(this.o.tuning, rows))),
    };
  }

  /** @throws AbortError when the run has ended */
  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.chain.then(() => {
      if (this.closed) throw new DOMException('The run ended while it was being truncated.', 'AbortError');
      return work();
    });
    this.chain = result.catch(() => undefined);
    return result;
  }

  /** Copies and decomposes the weights as they are now, unless they are those already taken. */
  private async take(fresh: boolean): Promise<WeightsMark> {
    const mark = this.o.mark();
    if (this.taken && (!fresh || this.taken.version === mark.version)) return this.taken;
    const { gpu, copy, factored, o } = this;
    const encoder = gpu.device.createCommandEncoder({ label: 'truncation.weights' });
    encoder.copyBufferToBuffer(o.weights.buffer, o.weights.offset, copy.buffer, copy.offset, copy.size);
    gpu.device.queue.submit([encoder.finish()]);
    factored.decompose();
    // Until it is known how that went, nothing holds.
    this.taken = undefined;
    this.known.clear();
    this.takenAt = performance.now();
    this.sigma = await factored.sigma();
    this.cost = performance.now() - this.takenAt;
    return (this.taken = mark);
  }

  private ranks(choice: CutChoice): number[] {
    return this.o.matrices.map((matrix, i) =>
      'energy' in choice ? rankOfEnergy(choice.energy, this.sigma[i]!) : rankOfFraction(choice.fraction, matrix),
    );
  }

  /**
   * Evaluates one state of the run at several truncations, and untruncated. Others may have their turn between two cuts; when one
   * of them takes newer weights, this ends with what there is.
   */
  async measure(o: MeasureOptions): Promise<TruncationReport> {
    const cuts: Cut[] = [];
    const { mine, full } = await this.exclusive(async () => ({ mine: await this.take(o.fresh), full: await this.figures(undefined, o) }));
    const matrices = this.o.matrices.map(({ name }) => name);
    const report = () => ({ step: mine.step, by: o.by, matrices, decomposition: this.cost, full, cuts: [...cuts] });
    o.onCut?.(report());
    for (const value of o.values) {
      const cut = await this.exclusive(async () => (o.stop?.() || this.taken !== mine ? undefined : this.cut(mine.step, value, o)));
      if (!cut) break;
      cuts.push(cut);
      o.onCut?.(report());
    }
    return report();
  }

  private async cut(step: number, value: number, o: MeasureOptions): Promise<Cut> {
    const ranks = this.ranks(o.by === 'energy' ? { energy: value } : { fraction: value });
    const figures = await this.figures(ranks, o);
    const share = figures.stored / matrixParameters(this.o.matrices);
    return { step, fraction: o.by === 'energy' ? share : value, ...(o.by === 'energy' && { energy: value }), ranks, ...figures };
  }

  /** Evaluates the factored model at these ranks, or the full one. */
  private async figures(ranks: readonly number[] | undefined, { count, quiet }: MeasureOptions): Promise<ModelFigures> {
    const { evaluator, plan, buffers, full, factored, gpu, o } = this;
    if (!evaluator || !plan || !buffers || !full) throw new Error('the run has no data to evaluate on');
    const key = `${count} ${ranks?.join() ?? 'full'}`;
    const before = this.known.get(key);
    // A time that could not be measured while training went on is worth another try when all is quiet.
    if (before && (before.milliseconds !== null || !quiet())) return before;
    if (ranks) factored.truncate(ranks);
    const program = ranks ? await evaluator.record(this.copy, factored.linear(ranks, buffers)) : full;
    try {
      if (!this.timer && quiet()) await gpu.idle();
      const alone = this.timer !== undefined || quiet();
      const { loss, accuracy, count: images, milliseconds } = await evaluator.timed(count, program);
      const own = matrixParameters(o.matrices);
      const stored = ranks ? storedParameters(o.matrices, ranks) : own;
      const found: ModelFigures = {
        parameters: o.table.count - own + stored,
        stored,
        flops: ranks ? imageFlops(plan, factored.layers, ranks) : imageFlops(plan),
        milliseconds: alone && (this.timer !== undefined || quiet()) ? milliseconds / images : null,
        loss,
        accuracy,
        count: images,
      };
      this.known.set(key, found);
      return found;
    } finally {
      if (ranks) program.dispose();
    }
  }

  /**
   * Runs `use` on the weights as taken, whole and as truncated; `fresh` as in `measure`. The model that `use` runs is of this plan.
   * @throws OutOfMemoryError, AbortError
   */
  use<T>(choice: CutChoice, o: { plan: VitPlan; fresh: boolean }, use: (taken: TakenWeights) => Promise<T>): Promise<T> {
    const { gpu, factored } = this;
    return this.exclusive(async () => {
      const { step } = await this.take(o.fresh);
      const ranks = this.ranks(choice);
      factored.truncate(ranks);
      const buffers = await gpu.guard('the truncated model', () => this.allocate(o.plan));
      try {
        return await use({ step, params: this.copy, linear: factored.linear(ranks, buffers) });
      } finally {
        for (const view of [buffers.thin, buffers.scratch]) gpu.buffers.free(view);
      }
    });
  }

  /** Logits [B, numClasses] of normalised images by the truncated model. @throws RangeError */
  predict(images: Float32Array, choice: CutChoice): Promise<Float32Array> {
    const { gpu, o } = this;
    const { config, tuning, halves } = o;
    const plan: VitPlan = { config, batch: checkBatch(config, images), training: false, tuning, halves };
    return this.use(choice, { plan, fresh: true }, ({ params, linear }) =>
      predictionOf(gpu, { config, tuning, halves, params, images, linear }),
    );
  }

  /**
   * The truncated weights by name: W ≈ B A with `….A` [rank, inputs] and `….B` [outputs, rank] in place of `….weight`, where the
   * Q, K and V of `attn.qkv` are `attn.q`, `attn.k` and `attn.v`; biases and everything else under timm's names.
   */
  export(choice: CutChoice): Promise<{ tensors: Map<string, Tensor>; ranks: Record<string, number>; step: number }> {
    const { gpu, o, factored } = this;
    return this.exclusive(async () => {
      const { step } = await this.take(true);
      const ranks = this.ranks(choice);
      factored.truncate(ranks);
      const [parameters, factors] = await Promise.all([gpu.readFloats(this.copy), factored.read()]);
      const tensors = tensorsOf(parameters, o.table);
      const kept: Record<string, number> = {};
      for (const [name] of tensors)
        if (o.matrices.some((matrix) => matrix.name === name || matrix.name.startsWith(`${name}[`))) tensors.delete(name);
      o.matrices.forEach((matrix, i) => {
        const name = factorName(matrix);
        const rank = (kept[name] = ranks[i]!);
        tensors.set(`${name}.A`, { shape: [rank, matrix.cols], data: factors[i]!.a });
        tensors.set(`${name}.B`, { shape: [matrix.rows, rank], data: factors[i]!.b });
      });
      return { tensors, ranks: kept, step };
    });
  }

  /** Waits for what is under way, calls off what waits, and frees every buffer. */
  async dispose(): Promise<void> {
    this.closed = true;
    await this.chain;
    this.free();
  }

  private free(): void {
    this.full?.dispose();
    this.evaluator?.dispose();
    this.timer?.dispose();
    this.factored.dispose();
    for (const view of [this.copy, this.buffers?.thin, this.buffers?.scratch]) if (view) this.gpu.buffers.free(view);
  }
}

/** `blocks.0.attn.q` for `blocks.0.attn.qkv.weight[0]`, `blocks.0.mlp.fc1` for `blocks.0.mlp.fc1.weight`. */
const factorName = ({ name, kind }: WeightMatrix): string =>
  name.endsWith(']') ? name.replace(/qkv\.weight\[\d\]$/, kind) : name.replace(/\.weight$/, '');
