import { slice, type View } from '../../gpu/buffers';
import type { Gpu } from '../../gpu/device';
import { Program, type ProgramPart, type Recorder } from '../../gpu/recorder';
import { Q3rBatch, type EpsilonSchedule } from '../../linalg/q3rBatch';
import { SEED_STEP, SvdBatch, parseStatusOf, type MatrixStatus } from '../../linalg/svdBatch';
import { savedView, type SavedView } from '../../linalg/svdFactors';
import type { SvdWorkspace } from '../../linalg/svdWorkspace';
import type { ApplyViews, RegularizedMatrix, Regularizer } from '../regularizer';
import { SketchController, firstSketch, type ControllerState, type Decision } from './sketchController';

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
  /** Successive ones of `matrices` that are decomposed at the same time, in turns with the others; all at once when absent. */
  readonly groups?: readonly (readonly Q3rMatrix[])[];
  /** Work buffers shared with other batches, large enough for every group, for whole decompositions, too, unless `svd` is exact. */
  readonly workspace?: SvdWorkspace;
}

/** What a snapshot keeps besides `stateViews`: plain data. */
export type Q3rSavedState = ControllerState;

/** Successive matrices whose decompositions and operator run at the same time. */
interface Group {
  readonly svd: SvdBatch;
  readonly operator: Q3rBatch;
  /** Which of all the matrices. */
  readonly from: number;
  readonly to: number;
}

/**
 * Q3R on matrices of the parameter arena: `nextRefresh` decomposes the weights and sets ε (every few steps), `recordApply`
 * evaluates 2λR(X) and the value with the last decomposition (every step). Allocates everything at construction, but for what
 * sketches need that have outgrown it: U and V are kept as far as the sketches reach.
 */
export class Q3rRegularizer implements Regularizer {
  /** λ⟨X, R(X)⟩ of every matrix at the last apply, those of a group from a multiple of 64 on. */
  readonly values: View;
  /** How the last refresh was made. */
  lastDecision: Decision | undefined;

  private readonly groups: readonly Group[];
  private readonly controller: SketchController;
  private readonly composed = new Map<string, Program>();
  private readonly scales: number[];
  private configured = '';

  /** @throws OutOfMemoryError */
  constructor(
    private readonly gpu: Gpu,
    private readonly o: Q3rOptions,
  ) {
    const { matrices, params, seed, workspace, groups = [matrices] } = o;
    const sizes = matrices.map((m) => Math.min(m.rows, m.cols));
    this.controller = new SketchController({
      sizes,
      ranks: matrices.map((m) => m.targetRank),
      exact: o.svd === 'exact',
      oversample: o.oversample,
      powerIterations: o.powerIterations,
    });
    const { sketchSizes } = this.controller;
    const pitch = (count: number): number => (groups.length > 1 ? 64 * Math.ceil(count / 64) : count);
    this.values = gpu.buffers.allocate('q3r.values', 4 * groups.reduce((sum, group) => sum + pitch(group.length), 0));
    let from = 0;
    let at = 0;
    this.groups = groups.map((group, g): Group => {
      const to = from + group.length;
      const svd = new SvdBatch(gpu, {
        label: g === 0 ? 'q3r' : `q3r.${g}`,
        matrices: group,
        arena: params,
        seed: seed + from * SEED_STEP,
        skipOverRank: true,
        ...(o.svd === 'exact' ? {} : { sketches: sketchSizes.slice(from, to) }),
        ...(workspace ? { workspace } : {}),
      });
      const values = groups.length > 1 ? slice(this.values, at, group.length) : this.values;
      const { epsilonSchedule, epsilonN } = o;
      const made = { svd, operator: new Q3rBatch(gpu, svd, { epsilonSchedule, epsilonN, skipOverRank: true }, values), from, to };
      at += pitch(group.length);
      from = to;
      return made;
    });
    this.scales = matrices.map((m) => m.lambdaScale ?? 1);
    this.writeTable();
  }

  /** The decompositions, of successive matrices each. */
  get batches(): readonly SvdBatch[] {
    return this.groups.map(({ svd }) => svd);
  }
  get statusViews(): View[] {
    return this.groups.map(({ svd }) => svd.state);
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
    return this.groups.reduce((sum, { svd }) => sum + svd.bytes, this.values.size);
  }

  /** Compiles the kernels; nothing is allocated on the GPU after it but by `prepare`. */
  async build(): Promise<void> {
    await Promise.all(this.groups.flatMap(({ svd, operator }) => [svd.build(), operator.build()]));
  }

  /** Makes room for what the next refresh keeps. @throws OutOfMemoryError */
  async prepare(status: readonly MatrixStatus[] | undefined): Promise<void> {
    const saved = this.controller.save();
    const { sketches } = this.controller.next(status);
    this.controller.restore(saved);
    for (const { svd, from, to } of this.groups) await svd.reserve(sketches.slice(from, to));
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
      const parts = this.groups.flatMap((group) => (group.svd.count > 0 ? partsOf(group, decision) : []));
      program = Program.sequence(this.gpu, `q3r refresh ${key}`, parts);
      this.composed.set(key, program);
    }
    return program;
  }

  parseStatus(bytes: ArrayBuffer): MatrixStatus[] {
    return parseStatusOf(this.batches, bytes);
  }

  /** As after the last refresh that was submitted; waits for it. For set-up work and tests. */
  async readStatus(): Promise<MatrixStatus[]> {
    return (await Promise.all(this.batches.map((svd) => svd.readStatus()))).flat();
  }

  /** Submits the next refresh and waits for its status; for set-up work and tests. */
  async refresh(status?: readonly MatrixStatus[]): Promise<MatrixStatus[]> {
    this.nextRefresh(status).run(Math.max(1, ...this.batches.map((svd) => Math.ceil(svd.layout.maxK / 32))));
    return this.readStatus();
  }

  /**
   * Records out = 2λR(X) (`write`) or out += 2λR(X) (`add`) and value = Σ λ⟨X, R(X)⟩ over all regularized matrices. X is the
   * parameter arena unless `x` is given; `state` is the StepState, `value` one f32. Elements of out that belong to no
   * matrix are not touched; those of a matrix that is not regularized are set to 0, or not changed.
   */
  recordApply(recorder: Recorder, o: ApplyViews & { x?: View }): void {
    const { value, x = this.o.params, ...rest } = o;
    for (const { operator } of this.groups) operator.recordApply(recorder, { ...rest, x });
    Q3rBatch.recordTotal(recorder, this.values, value);
  }

  /** Target ranks from the next refresh on, factors of λ at once, in the order of `matrices`. */
  tune(ranks: readonly number[], lambdaScales: readonly number[]): void {
    lambdaScales.forEach((scale, i) => (this.scales[i] = scale));
    // Other ranks make the next refreshes watchful; the same ones must not.
    if (ranks.some((rank, i) => rank !== this.controller.targetRanks[i])) this.controller.setRanks(ranks);
    this.writeTable();
  }

  /** GPU buffers that make up the state: with `saveState`, what a run needs to continue bitwise. */
  get stateViews(): SavedView[] {
    return this.batches.flatMap((svd) => [savedView(svd.state), savedView(svd.sigma), svd.savedFactors]);
  }
  saveState(): Q3rSavedState {
    return this.controller.save();
  }
  /** The caller restores `stateViews` as well, after this has made room for them. @throws OutOfMemoryError */
  restoreState(saved: unknown): void {
    this.controller.restore(saved as Q3rSavedState);
    this.writeTable();
  }

  /** As at the start of a run: ε = 1e8, no vectors known, the first refresh exact. */
  reset(): void {
    this.controller.reset();
    for (const svd of this.batches) svd.reset();
    this.writeTable();
  }

  dispose(): void {
    this.composed.clear();
    for (const { operator, svd } of this.groups) {
      operator.dispose();
      svd.dispose();
    }
    this.gpu.buffers.free(this.values);
  }

  private writeTable(): void {
    const { targetRanks, sketchSizes } = this.controller;
    const key = `${targetRanks.join()};${sketchSizes.join()};${this.scales.join()}`;
    if (key === this.configured) return;
    this.configured = key;
    for (const { svd, from, to } of this.groups) {
      const own = <T>(all: readonly T[]): T[] => all.slice(from, to);
      svd.configure(own(targetRanks), own(sketchSizes), own(this.scales));
    }
  }
}

/** What a group does in a refresh. Groups share their work buffers: each comes to its end before the next begins. */
function partsOf({ svd, operator }: Group, { kind, powers, sweeps }: Decision): ProgramPart[] {
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

/** Bytes on the GPU for Q3R on `matrices`; work buffers are not counted. */
export const q3rBytes = (matrices: readonly Q3rMatrix[], { svd, oversample }: Pick<Q3rOptions, 'svd' | 'oversample'>): number =>
  SvdBatch.bytesFor(
    matrices,
    true,
    true,
    svd === 'exact' ? undefined : matrices.map((m) => firstSketch(m.targetRank, Math.min(m.rows, m.cols), oversample)),
  );
