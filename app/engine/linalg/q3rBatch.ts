import { ceilDiv, type Grid, type KernelSpec } from '../../../kernels/spec';
import * as q from '../../../kernels/q3r/q3r';
import { perMatrix } from '../../../kernels/svd/svd';
import type { MatrixEntry } from '../../../kernels/svd/table';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Program } from '../gpu/recorder';
import { Recorder } from '../gpu/recorder';
import type { SvdBatch } from './svdBatch';

export type EpsilonSchedule = 'default' | 'exploration' | 'linear' | 'constant';
const SCHEDULES: readonly EpsilonSchedule[] = ['default', 'exploration', 'linear', 'constant'];

/**
 * Limit on eta, the first-order estimate of R(W)'s relative error from an unconverged subspace (kernels/q3r/update.wgsl). The
 * true error stayed under 3 eta on trained and Gaussian matrices, so that the gradient stays within 1e-2 of the exact one.
 */
export const ETA_LIMIT = 3e-3;

/** How an `update` ends a decomposition. */
export type Judgement = 'exact' | 'sketch' | 'guard';

export interface Q3rBatchOptions {
  readonly epsilonSchedule: EpsilonSchedule;
  readonly epsilonN: number;
  readonly skipOverRank?: boolean;
  /** Long sums by tiles through workgroup memory; what the adapter likes best when absent. */
  readonly tiled?: boolean;
}

/**
 * The Q3R operator over the matrices of an SvdBatch: ε and envelope after each decomposition, and R(X) from U, V, ε.
 * Uses the batch's work buffers between its refreshes; owns the programs of its updates and, unless given, the values.
 */
export class Q3rBatch {
  /** λ⟨X, R(X)⟩ per matrix, one f32 each. */
  readonly values: View;
  private readonly ownsValues: boolean;
  private updates: Program | undefined;

  constructor(
    private readonly gpu: Gpu,
    private readonly svd: SvdBatch,
    private readonly o: Q3rBatchOptions,
    values?: View,
  ) {
    this.ownsValues = values === undefined;
    this.values = values ?? gpu.buffers.allocate('q3r.values', svd.count * 4);
  }

  async build(): Promise<void> {
    const { svd, o } = this;
    if (this.updates || svd.count === 0) return;
    const r = new Recorder(this.gpu, 'q3r.update').setPhase('q3r');
    const variants = [
      { exact: 1, guard_flagged: 0 },
      { exact: 0, guard_flagged: 0 },
      { exact: 0, guard_flagged: 1 },
    ];
    for (const variant of variants)
      r.dispatch(q.update, {
        buffers: [svd.table, svd.sigma, svd.columns, svd.state],
        grid: [ceilDiv(svd.count, 64), 1, 1],
        params: { count: svd.count, schedule: SCHEDULES.indexOf(o.epsilonSchedule), n: o.epsilonN, limit: ETA_LIMIT, ...variant },
      });
    this.updates = await r.build();
  }

  /**
   * Sets ε and the envelope from the singular values just found. `exact`: they are exact. `sketch`: judge the sketch, commit
   * it all the same. `guard`: judge it, commit what passes and leave the rest open for `SvdBatch.redo` and an `exact` update.
   */
  update(judgement: Judgement): { program: Program; from: number; to: number } {
    if (!this.updates) throw new Error('the Q3R operator is not built');
    const from = ['exact', 'sketch', 'guard'].indexOf(judgement);
    return { program: this.updates, from, to: from + 1 };
  }

  /**
   * Records out = 2λR(X) (`write`) or out += 2λR(X) (`add`) for every matrix, and the values; `recordTotal` adds these up.
   * x and out are arenas of the parameters' layout, state is a StepState (λ).
   */
  recordApply(recorder: Recorder, o: { x: View; state: View; out: View; mode: 'write' | 'add' }): void {
    const { svd } = this;
    const { entries } = svd.layout;
    if (entries.length === 0) return;
    const { table, state, sigma, factors } = svd;
    const { a, y } = svd.workspace;
    const threads = (f: (e: MatrixEntry) => number): Grid => perMatrix(Math.max(...entries.map(f)), entries.length);
    // Half the short side is a generous guess at the envelope; only the cutting of submits depends on it.
    const work = entries.reduce((sum, e) => sum + e.p * e.k * e.k, 0);
    const run = (spec: KernelSpec, buffers: View[], grid: Grid, params: Record<string, number> = {}, flops = 0) =>
      recorder.dispatch(spec, { buffers, grid, params, work: flops });
    const tiled = this.o.tiled ?? !this.gpu.info.software;
    const ranks = (e: MatrixEntry) => ceilDiv(e.k, tiled ? 32 : 4);
    // A workgroup of 64 has a tile of 32 × 32, or an invocation four rows by four or eight columns.
    const ofRows = (e: MatrixEntry) => (tiled ? 64 * ceilDiv(e.rows, 32) : ceilDiv(e.rows, 4));
    const ofColumns = (e: MatrixEntry) => (tiled ? 64 * ceilDiv(e.cols, 32) : ceilDiv(e.cols, 8));
    const tiles = threads((e) => ceilDiv(e.rows, 8) * ceilDiv(e.cols, 8));
    const projected = threads((e) => ofRows(e) * ranks(e));
    const gathered = threads((e) => ofColumns(e) * ranks(e));
    run(tiled ? q.projectTiled : q.project, [table, state, sigma, factors, o.x, a], projected, {}, work);
    run(q.spread, [table, state, factors, a, o.x, y], tiles, {}, work);
    run(tiled ? q.gatherTiled : q.gather, [table, state, sigma, factors, y, a], gathered, {}, work);
    const params = { add: o.mode === 'add' ? 1 : 0, skip: this.o.skipOverRank ? 1 : 0 };
    run(q.apply, [table, state, o.state, factors, a, o.x, y, o.out], tiles, params, work);
    run(q.value, [table, o.state, y, this.values], [entries.length, 1, 1]);
  }

  /** Records value = Σ λ⟨X, R(X)⟩, one f32, over `values`. */
  static recordTotal(recorder: Recorder, values: View, value: View): void {
    recorder.dispatch(q.total, { buffers: [values, value], grid: [1, 1, 1], params: { count: values.size / 4 } });
  }

  dispose(): void {
    this.updates?.dispose();
    this.updates = undefined;
    if (this.ownsValues) this.gpu.buffers.free(this.values);
  }
}
