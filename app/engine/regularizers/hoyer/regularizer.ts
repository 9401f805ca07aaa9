import { FIGURES_BYTES, hoyerApply, hoyerFigures, hoyerValue } from '../../../../kernels/hoyer/hoyer';
import * as q from '../../../../kernels/q3r/q3r';
import { ceilDiv } from '../../../../kernels/spec';
import { perMatrix } from '../../../../kernels/svd/svd';
import type { View } from '../../gpu/buffers';
import type { Gpu } from '../../gpu/device';
import { Program, Recorder } from '../../gpu/recorder';
import { SvdBatch, type MatrixStatus } from '../../linalg/svdBatch';
import { savedView, type SavedView } from '../../linalg/svdFactors';
import type { SvdWorkspace } from '../../linalg/svdWorkspace';
import type { ApplyViews, RegularizedMatrix, Regularizer } from '../regularizer';

export interface HoyerOptions {
  readonly matrices: readonly RegularizedMatrix[];
  /** The f32 parameter arena that holds them all. */
  readonly params: View;
  /** (‖σ‖₁/‖σ‖₂)² − 1 instead of ‖σ‖₁/‖σ‖₂ − 1. */
  readonly square: boolean;
  readonly seed: number;
  /** Work buffers shared with another batch over matrices of the same arena. */
  readonly workspace?: SvdWorkspace;
}

/** CPU-side part of a snapshot; plain data. */
export interface HoyerState {
  readonly refreshes: number;
}

/**
 * The Hoyer measure of every matrix in the loss. A refresh decomposes the weights exactly, warm-started; refreshed every step
 * the gradient is exact, otherwise U, V and σ are those of the last refresh while W is the weight as it is.
 */
export class HoyerRegularizer implements Regularizer {
  readonly svd: SvdBatch;
  /** λ · value of every matrix, as of the last refresh. */
  readonly values: View;
  private readonly figures: View;
  private readonly scales: number[];
  private refreshes = 0;
  private measure: Program | undefined;
  private readonly composed = new Map<number, Program>();

  /** @throws OutOfMemoryError */
  constructor(
    private readonly gpu: Gpu,
    private readonly o: HoyerOptions,
  ) {
    const { matrices, params, seed, workspace } = o;
    this.svd = new SvdBatch(gpu, { label: 'hoyer', matrices, arena: params, seed, ...(workspace ? { workspace } : {}) });
    this.figures = gpu.buffers.allocate('hoyer.figures', matrices.length * FIGURES_BYTES);
    this.values = gpu.buffers.allocate('hoyer.values', matrices.length * 4);
    this.scales = matrices.map((m) => m.lambdaScale ?? 1);
    this.tune([], this.scales);
  }

  get matrices(): RegularizedMatrix[] {
    return this.o.matrices.map((m, i) => ({ ...m, lambdaScale: this.scales[i] ?? 1 }));
  }

  get statusViews(): View[] {
    return [this.svd.state];
  }

  get square(): boolean {
    return this.o.square;
  }

  get bytes(): number {
    return this.svd.bytes + this.figures.size + this.values.size;
  }

  async build(): Promise<void> {
    if (this.measure) return;
    await this.svd.build();
    const { svd } = this;
    const recorder = new Recorder(this.gpu, 'hoyer.figures').setPhase('q3r');
    recorder.dispatch(hoyerFigures, {
      params: { count: svd.count, square: this.o.square ? 1 : 0 },
      buffers: [svd.table, svd.sigma, this.figures],
      grid: [ceilDiv(svd.count, 64), 1, 1],
    });
    this.measure = await recorder.build();
  }

  nextRefresh(status: readonly MatrixStatus[] | undefined): Program {
    if (!this.measure) throw new Error('the Hoyer regularizer is not built');
    // The first refresh knows nothing to start from.
    const sweeps = this.refreshes === 0 ? 0 : SvdBatch.nextSweeps(status);
    this.refreshes++;
    let program = this.composed.get(sweeps);
    if (!program) {
      const decomposition = sweeps === 0 ? this.svd.coldExact() : this.svd.exact(sweeps);
      program = Program.sequence(this.gpu, `hoyer refresh ${sweeps}`, [{ program: decomposition }, { program: this.measure }]);
      this.composed.set(sweeps, program);
    }
    return program;
  }

  parseStatus(bytes: ArrayBuffer): MatrixStatus[] {
    return this.svd.parseStatus(bytes);
  }

  /** Records out += λ · gradient for every matrix, and value. @throws Error for mode `write`: the gradient joins the loss's. */
  recordApply(recorder: Recorder, { state, out, mode, value }: ApplyViews): void {
    if (mode !== 'add') throw new Error('the Hoyer gradient is added to that of the loss');
    const { svd, figures, values } = this;
    const { entries } = svd.layout;
    const tiles = Math.max(...entries.map((e) => ceilDiv(e.rows, 8) * ceilDiv(e.cols, 8)));
    recorder.dispatch(hoyerApply, {
      buffers: [svd.table, state, figures, svd.factors, this.o.params, out],
      grid: perMatrix(tiles, entries.length),
      work: entries.reduce((sum, e) => sum + 2 * e.p * e.k * e.k, 0),
    });
    const once = [ceilDiv(entries.length, 64), 1, 1] as const;
    recorder.dispatch(hoyerValue, { params: { count: entries.length }, buffers: [svd.table, state, figures, values], grid: once });
    recorder.dispatch(q.total, { params: { count: entries.length }, buffers: [values, value], grid: [1, 1, 1] });
  }

  tune(_ranks: readonly number[], lambdaScales: readonly number[]): void {
    lambdaScales.forEach((scale, i) => (this.scales[i] = scale));
    const { entries } = this.svd.layout;
    const whole = entries.map((e) => e.k);
    this.svd.configure(whole, whole, this.scales);
  }

  get stateViews(): SavedView[] {
    return [this.svd.state, this.svd.sigma, this.svd.factors, this.figures].map(savedView);
  }
  saveState(): HoyerState {
    return { refreshes: this.refreshes };
  }
  restoreState(saved: unknown): void {
    this.refreshes = (saved as HoyerState).refreshes;
  }
  reset(): void {
    this.refreshes = 0;
    this.svd.reset();
  }

  dispose(): void {
    this.composed.clear();
    this.measure?.dispose();
    this.measure = undefined;
    this.gpu.buffers.free(this.figures);
    this.gpu.buffers.free(this.values);
    this.svd.dispose();
  }
}

/** λ times the Hoyer value of a spectrum, in double precision; 0 for a zero matrix. */
export function hoyerValueOf(sigma: ArrayLike<number>, square: boolean): number {
  let n1 = 0;
  let n2 = 0;
  for (let i = 0; i < sigma.length; i++) {
    n1 += sigma[i] ?? 0;
    n2 += (sigma[i] ?? 0) ** 2;
  }
  if (!(n2 > 0)) return 0;
  return square ? n1 ** 2 / n2 - 1 : n1 / Math.sqrt(n2) - 1;
}
