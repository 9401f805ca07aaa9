import { ETA_LIMIT } from '../../linalg/q3rBatch';
import { MAX_SWEEPS, SvdBatch, type MatrixStatus } from '../../linalg/svdBatch';

/** How the next refresh decomposes. `guarded`: a sketch, and in the same refresh an exact redo of what it flags. */
export interface Decision {
  readonly kind: 'cold' | 'exact' | 'sketch' | 'guarded';
  readonly powers: number;
  readonly sweeps: number;
  /** Columns of each matrix's sketch. */
  readonly sketches: readonly number[];
}

export interface ControllerOptions {
  /** Short sides. */
  readonly sizes: readonly number[];
  readonly ranks: readonly number[];
  readonly exact: boolean;
  readonly oversample: number;
  /** Fewest subspace iterations per refresh. */
  readonly powerIterations: number;
}

/** CPU-side part of a snapshot; plain data. */
export interface ControllerState {
  readonly refreshes: number;
  readonly watchful: number;
  readonly powers: number;
  readonly wasExact: boolean;
  readonly ranks: readonly number[];
  readonly sketches: readonly number[];
}

/** The sketch ends this near to ε: from here on a refresh is guarded, */
const NEAR = 0.9;
/** and from here on the sketch grows; between the two it grows where the subspace is coarse, which more columns cure best. */
const TOO_NEAR = 0.95;
/** Shares of ETA_LIMIT beyond which a refresh is guarded, a subspace counts as coarse, and below which it is finer than needed. */
const GUARD = 0.6;
const COARSE = 0.4;
const FINE = 0.05;
const MAX_POWERS = 8;
/** Sweeps that an exact refresh from the last vectors has at least; weights that moved for five steps need four. */
const EXACT_SWEEPS = 6;
/** Refreshes that are guarded whatever the status says: after the first one, and after a change of ranks. */
const WATCHFUL = 2;

/** Columns of the sketch of a matrix with `size` singular values, until it grows. */
export const firstSketch = (rank: number, size: number, oversample: number): number => Math.min(size, rank + 1 + oversample);

/**
 * Decides from the status of the last refresh how the next one decomposes, so that neither the envelope is clipped nor the
 * subspace too coarse. A pure function of its state and the status: the same run makes the same decisions.
 */
export class SketchController {
  private refreshes = 0;
  private watchful = WATCHFUL;
  private powers: number;
  private wasExact = true;
  private ranks: number[];
  private sketches: number[];

  constructor(private readonly o: ControllerOptions) {
    this.powers = o.powerIterations;
    this.ranks = [...o.ranks];
    this.sketches = this.ranks.map((r, i) => this.least(r, i));
  }

  private least(rank: number, i: number): number {
    const size = this.o.sizes[i] ?? 1;
    return this.o.exact ? size : firstSketch(rank, size, this.o.oversample);
  }

  /** New target ranks; sketches only grow. */
  setRanks(ranks: readonly number[]): void {
    this.ranks = this.ranks.map((old, i) => ranks[i] ?? old);
    this.sketches = this.sketches.map((old, i) => Math.max(old, this.least(this.ranks[i] ?? 0, i)));
    this.watchful = WATCHFUL;
  }

  get targetRanks(): readonly number[] {
    return this.ranks;
  }
  get sketchSizes(): readonly number[] {
    return this.sketches;
  }

  /** `status` is that of the last refresh; absent before the first one. */
  next(status: readonly MatrixStatus[] | undefined): Decision {
    const { sizes, powerIterations } = this.o;
    const acted = this.ranks.map((rank, i) => rank < (sizes[i] ?? 0));
    // Largest eta of all sketches, and of those that more iterations are meant to help.
    let largest = 0;
    let worst = 0;
    let guarded = this.watchful > 0 || status === undefined;
    status?.forEach((s, i) => {
      if (!acted[i]) return;
      const size = sizes[i] ?? 1;
      const sketch = this.sketches[i] ?? size;
      const crowded = s.eta > COARSE * ETA_LIMIT && (s.edge > NEAR || this.powers === MAX_POWERS);
      if (sketch < size) {
        largest = Math.max(largest, s.eta);
        if (!crowded) worst = Math.max(worst, s.eta);
        if (s.clipped || s.coarse || s.edge > NEAR || s.eta > GUARD * ETA_LIMIT) guarded = true;
        if (s.clipped || crowded || s.edge > TOO_NEAR) this.sketches[i] = Math.min(size, 2 * sketch);
      }
      if (s.unfinished) guarded = true;
    });

    if (worst > COARSE * ETA_LIMIT) this.powers = Math.min(MAX_POWERS, this.powers + (worst > ETA_LIMIT ? 2 : 1));
    else if (largest < FINE * ETA_LIMIT) this.powers = Math.max(powerIterations, this.powers - 1);
    const full = this.sketches.every((sketch, i) => !acted[i] || sketch === sizes[i]);
    const kind = this.refreshes === 0 || (full && !this.wasExact) ? 'cold' : full ? 'exact' : guarded ? 'guarded' : 'sketch';
    const least = kind === 'cold' ? MAX_SWEEPS : kind === 'exact' ? EXACT_SWEEPS : 0;
    const sweeps = Math.max(least, SvdBatch.nextSweeps(status, kind === 'exact' ? 'exact' : 'sketch'));
    this.refreshes++;
    // The first, cold refresh is exact and needs no watching.
    if (kind === 'guarded' && this.watchful > 0) this.watchful--;
    this.wasExact = kind === 'cold' || kind === 'exact';
    return { kind, powers: this.powers, sweeps, sketches: [...this.sketches] };
  }

  save(): ControllerState {
    const { refreshes, watchful, powers, wasExact, ranks, sketches } = this;
    return { refreshes, watchful, powers, wasExact, ranks: [...ranks], sketches: [...sketches] };
  }

  /** @throws Error when it is the state of a controller of other matrices, or of none */
  restore(s: ControllerState): void {
    const whole = (x: number, max: number) => Number.isInteger(x) && x >= 0 && x <= max;
    const sizes = this.o.sizes;
    // A rank may be above a matrix's size, which then is not regularized.
    const fits =
      whole(s.refreshes, Number.MAX_SAFE_INTEGER) &&
      whole(s.watchful, WATCHFUL) &&
      whole(s.powers, Math.max(MAX_POWERS, this.o.powerIterations)) &&
      s.ranks.length === sizes.length &&
      s.ranks.every((rank) => whole(rank, Number.MAX_SAFE_INTEGER)) &&
      s.sketches.length === sizes.length &&
      s.sketches.every((sketch, i) => whole(sketch, sizes[i]!));
    if (!fits) throw new Error('The state of the sketches is not one of these matrices.');
    this.refreshes = s.refreshes;
    this.watchful = s.watchful;
    this.powers = s.powers;
    this.wasExact = s.wasExact;
    this.ranks = [...s.ranks];
    this.sketches = [...s.sketches];
  }

  reset(): void {
    this.restore({
      refreshes: 0,
      watchful: WATCHFUL,
      powers: this.o.powerIterations,
      wasExact: true,
      ranks: this.ranks,
      sketches: this.ranks.map((r, i) => this.least(r, i)),
    });
  }
}
