/** A model whose matrices were cut to their leading singular values, and what is known of it. */

import type { MatrixPlan } from './messages';

/** Truncation by share of the parameters kept, or by share of the squared singular values kept. */
export type CutBy = 'fraction' | 'energy';

/** What a model needs and reaches on the first `count` test images. */
export interface ModelFigures {
  /** Of the whole model. */
  readonly parameters: number;
  /** Parameters of the targeted matrices: their own, or those of their two factors, Σ r (m + n). */
  readonly stored: number;
  /** Floating-point operations of one image's forward pass in matrix products and attention. */
  readonly flops: number;
  /** Of one image in an evaluation, measured; null where it could not be told apart from the training beside it. */
  readonly milliseconds: number | null;
  readonly loss: number;
  /** Share of the images classified correctly, in [0, 1]. */
  readonly accuracy: number;
  readonly count: number;
}

/** A truncated model, run as two thin products a matrix. */
export interface Cut extends ModelFigures {
  /** Its weights are those after this step. */
  readonly step: number;
  /** Share of the parameters that was asked for; by energy, the share that came of it. */
  readonly fraction: number;
  /** Share of the squared singular values that was asked for. */
  readonly energy?: number;
  /** In the order of the report's matrices. */
  readonly ranks: readonly number[];
}

/** Truncations of one state of a run. */
export interface TruncationReport {
  readonly step: number;
  readonly by: CutBy;
  /** Names of the truncated matrices; Q, K and V are three. */
  readonly matrices: readonly string[];
  /** Milliseconds that the exact decomposition of all matrices took, of these weights. */
  readonly decomposition: number;
  /** The model as it is, measured in the same way. */
  readonly full: ModelFigures;
  readonly cuts: readonly Cut[];
}

/** Truncations of one state of a run, sorted by what they keep. */
export interface CutCurve {
  /** Steps made. */
  readonly step: number;
  readonly by: CutBy;
  readonly full: ModelFigures;
  readonly cuts: readonly Cut[];
}

/** The curves of a run by what was asked. */
export type CutCurves = Readonly<Partial<Record<CutBy, CutCurve>>>;

/** What to truncate by. */
export type CutChoice = { readonly fraction: number } | { readonly energy: number };

/** Shares at which a curve is measured. */
export const CURVE_FRACTIONS: readonly number[] = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
/** By energy, the interesting shares lie near one. */
export const CURVE_ENERGIES: readonly number[] = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1];
/** Images of an evaluation, unless the run validates on fewer. */
export const CUT_IMAGES = 1000;

/** @throws RangeError naming the value that is no share */
export function checkShares(values: readonly unknown[], by: CutBy): asserts values is readonly number[] {
  if (!['fraction', 'energy'].includes(by)) throw new RangeError(`A truncation is by fraction or by energy, not by ${String(by)}.`);
  const bad = values.find((v) => !(typeof v === 'number' && v >= 0 && v <= (by === 'energy' ? 1 : 2)));
  if (bad !== undefined || values.length === 0)
    throw new RangeError(
      values.length === 0
        ? `truncate takes a list of shares; it is empty.`
        : `${by} must be a number from 0 to ${by === 'energy' ? 1 : 2}, not ${typeof bad === 'number' ? bad : typeof bad}.`,
    );
}

/** @throws RangeError for a choice that is neither, or no share */
export function checkCut(cut: unknown): asserts cut is CutChoice {
  const { fraction, energy } = (cut ?? {}) as { fraction?: unknown; energy?: unknown };
  if ((fraction === undefined) === (energy === undefined))
    throw new RangeError('A truncation is asked for as {fraction} or as {energy}, one of the two.');
  if (energy === undefined) checkShares([fraction], 'fraction');
  else checkShares([energy], 'energy');
}

/**
 * The share of the parameters that two factors of the target rank take, over all matrices that the method names: f(m + n)/max(m, n)
 * of each, weighted by its size. NaN when it names none.
 */
export function matchingShare(matrices: readonly MatrixPlan[], modules: readonly string[]): number {
  let factors = 0;
  let own = 0;
  for (const { rows, cols, kind, targetRank } of matrices) {
    if (!modules.includes(kind === 'q' || kind === 'k' || kind === 'v' ? 'qkv' : kind)) continue;
    factors += Math.min(targetRank, rows, cols) * (rows + cols);
    own += rows * cols;
  }
  return factors / own;
}
