import type { View } from '../../gpu/buffers';
import type { Gpu } from '../../gpu/device';
import { Program, type Recorder } from '../../gpu/recorder';
import { Q3rBatch, type EpsilonSchedule } from '../../linalg/q3rBatch';
import { SvdBatch, type MatrixShape, type MatrixStatus, type SvdWorkspace } from '../../linalg/svdBatch';
import type { ApplyViews, RegularizedMatrix, Regularizer } from '../regularizer';
import { SketchController, type ControllerState, type Decision } from './sketchController';

export type Q3rMatrix = RegularizedMatrix;

export interface Q3rOptions {
  readonly matrices: readonly Q3rMatrix[];
  /** The f32 parameter arena that holds them all. */
  readonly params: View;
  readonly svd: 'randomized' | 'exact';
  readonly oversample: number;
  readonly powerIterations: number;
  readonly epsilonSchedule: EpsilonSchedule;
  readonly epsilonN: number;
  readonly seed: number;
  /** Work buffers shared with another batch over matrices of the same arena. */
  readonly workspace?: SvdWorkspace;
}

/** What a snapshot keeps besides `stateViews`: plain data. */
export type Q3rSavedState = ControllerState;

/**
 * Q3R on matrices of the parameter arena: `nextRefresh` decomposes the weights and sets ε (every few steps), `recordApply`
 * evaluates 2λR(X) and the value with the last decomposition (every step). Allocates everything at construction.
 */
export class Q3rRegularizer implements Regularizer {
  /** State of every matrix, small: copy it back after a refresh and hand `parseStatus` of it to the next `nextRefresh`. */
  readonly status: View;
  /** λ⟨X, R(X)⟩ of every matrix at the last apply. */
  readonly values: View;
  readonly svd: SvdBatch;
  /** How the last refresh was made. */
  lastDecision: Decision | undefined;

  private readonly operator: Q3rBatch;
  private readonly controller: SketchController;
  private readonly composed = new Map<string, Program>();
  private readonly scales: number[];
  private configured = '';

  /** @throws OutOfMemoryError */
  constructor(
    private readonly gpu: Gpu,
    private readonly o: Q3rOptions,
  ) {
    const { matrices, params, seed, workspace } = o;
    this.svd = new SvdBatch(gpu, { label: 'q3r', matrices, arena: params, seed, skipOverRank: true, ...(workspace ? { workspace } : {}) });
    this.operator = new Q3rBatch(gpu, this.svd, { epsilonSchedule: o.epsilonSchedule, epsilonN: o.epsilonN, skipOverRank: true });
    this.controller = new SketchController({
      sizes: this.svd.layout.entries.map((e) => e.k),
      ranks: matrices.map((m) => m.targetRank),
      exact: o.svd === 'exact',
      oversample: o.oversample,
      powerIterations: o.powerIterations,
    });
    this.scales = matrices.map((m) => m.lambdaScale ?? 1);
    this.status = this.svd.state;
    this.values = this.operator.values;
    this.writeTable();
  }

  /** The matrices with their present target ranks and factors of λ. */
  get matrices(): Q3rMatrix[] {
    return this.o.matrices.map((m, i) => ({
      ...m,
      targetRank: this.controller.targetRanks[i] ?? m.targetRank,
      lambdaScale: this.scales[i] ?? 1,
    }));
  }

  /** Bytes on the GPU, a shared workspace not counted. */
  get bytes(): number {
    return this.svd.bytes + this.operator.bytes;
  }

  /** Compiles the kernels; nothing is allocated on the GPU after it. */
  async build(): Promise<void> {
    await Promise.all([this.svd.build(), this.operator.build()]);
  }

  /**
   * The program of the next refresh, to be submitted before the next call. `status` is that of the last refresh
   * (`parseStatus`), absent only before the first: which program runs depends on it alone, with a lag of one refresh.
   */
  nextRefresh(status: readonly MatrixStatus[] | undefined): Program {
    const decision = this.controller.next(status);
    this.lastDecision = decision;
    this.writeTable();
    const { kind, powers, sweeps } = decision;
    const key = [kind, powers, sweeps, Math.max(0, ...decision.sketches)].join(' ');
    let program = this.composed.get(key);
    if (!program) {
      program = Program.sequence(this.gpu, `q3r refresh ${key}`, this.parts(decision));
      this.composed.set(key, program);
    }
    return program;
  }

  private parts({ kind, powers, sweeps }: Decision): { program: Program; from?: number; to?: number }[] {
    const { svd, operator } = this;
    if (svd.count === 0) return [];
    switch (kind) {
      case 'cold':
        return [{ program: svd.coldExact() }, operator.update('exact')];
      case 'exact':
        return [{ program: svd.exact(sweeps) }, operator.update('exact')];
      case 'sketch':
        return [{ program: svd.sketch(powers, sweeps) }, operator.update('sketch')];
      case 'guarded':
        return [{ program: svd.sketch(powers, sweeps) }, operator.update('guard'), { program: svd.redo() }, operator.update('exact')];
    }
  }

  parseStatus(bytes: ArrayBuffer): MatrixStatus[] {
    return this.svd.parseStatus(bytes);
  }

  /** Submits the next refresh and waits for its status; for set-up work and tests. */
  async refresh(status?: readonly MatrixStatus[]): Promise<MatrixStatus[]> {
    this.nextRefresh(status).run(Math.max(1, Math.ceil(this.svd.layout.maxK / 32)));
    return this.svd.readStatus();
  }

  /**
   * Records out = 2λR(X) (`write`) or out += 2λR(X) (`add`) and value = Σ λ⟨X, R(X)⟩ over all regularized matrices. X is the
   * parameter arena unless `x` is given; `state` is the StepState, `value` one f32. Elements of out that belong to no
   * matrix are not touched; those of a matrix that is not regularized are set to 0, or not changed.
   */
  recordApply(recorder: Recorder, o: ApplyViews & { x?: View }): void {
    this.operator.recordApply(recorder, { ...o, x: o.x ?? this.o.params });
  }

  /** Target ranks from the next refresh on, factors of λ at once, in the order of `matrices`. */
  tune(ranks: readonly number[], lambdaScales: readonly number[]): void {
    lambdaScales.forEach((scale, i) => (this.scales[i] = scale));
    // Other ranks make the next refreshes watchful; the same ones must not.
    if (ranks.some((rank, i) => rank !== this.controller.targetRanks[i])) this.controller.setRanks(ranks);
    this.writeTable();
  }

  /** GPU buffers that make up the state: with `saveState`, what a run needs to continue bitwise. */
  get stateViews(): View[] {
    return [this.svd.state, this.svd.sigma, this.svd.factors];
  }
  saveState(): Q3rSavedState {
    return this.controller.save();
  }
  /** The caller restores `stateViews` as well. */
  restoreState(saved: unknown): void {
    this.controller.restore(saved as Q3rSavedState);
    this.writeTable();
  }

  /** As at the start of a run: ε = 1e8, no vectors known, the first refresh exact. */
  reset(): void {
    this.controller.reset();
    this.svd.reset();
    this.writeTable();
  }

  dispose(): void {
    this.composed.clear();
    this.operator.dispose();
    this.svd.dispose();
  }

  private writeTable(): void {
    const { targetRanks, sketchSizes } = this.controller;
    const key = `${targetRanks.join()};${sketchSizes.join()};${this.scales.join()}`;
    if (key === this.configured) return;
    this.configured = key;
    this.svd.configure(targetRanks, sketchSizes, this.scales);
  }
}

/** Bytes on the GPU for the spectra of `shown`, and for a regularizer on `acted`; their common workspace is not counted. */
export const q3rBytes = (shown: readonly MatrixShape[], acted: readonly MatrixShape[]): number =>
  SvdBatch.bytesFor(shown, false, true) + SvdBatch.bytesFor(acted, true, true);
