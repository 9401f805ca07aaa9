import type { MatrixPlan } from '../../protocol/messages';
import type { Cut, CutBy } from '../../protocol/truncation';
import type { CutCurve } from '../../store/store';
import { niceDomain, niceTicks } from './scales';

export type CutShows = 'accuracy' | 'loss';

/** What a slider's value is in a cut. */
export const shareOf = (cut: Cut, by: CutBy): number => (by === 'energy' ? (cut.energy ?? NaN) : cut.fraction);

/** A value between the measured cuts, linear in what the slider moves; beyond the ends, theirs. NaN without cuts. */
export function between(curve: CutCurve, at: number, value: (cut: Cut) => number): number {
  const { cuts, by } = curve;
  const first = cuts[0];
  if (!first) return NaN;
  let low = first;
  for (const cut of cuts) {
    const [from, to] = [shareOf(low, by), shareOf(cut, by)];
    if (to >= at) return to > from && at > from ? value(low) + ((at - from) / (to - from)) * (value(cut) - value(low)) : value(cut);
    low = cut;
  }
  return value(low);
}

/** The measured share nearest to where the slider was moved; moved on from `from` by a key, the next one that way. */
export function measuredShare({ cuts, by }: CutCurve, to: number, from: number | null): number {
  const shares = cuts.map((cut) => shareOf(cut, by));
  if (from !== null && to > from) return shares.find((share) => share >= to) ?? shares.at(-1) ?? to;
  if (from !== null && to < from) return shares.findLast((share) => share <= to) ?? shares[0] ?? to;
  return shares.reduce((best, share) => (Math.abs(share - to) < Math.abs(best - to) ? share : best), shares[0] ?? to);
}

/** Where the slider stands on the axis of kept parameters. */
export const keptAt = (curve: CutCurve | null, by: CutBy, at: number): number =>
  by === 'fraction' ? at : curve ? between(curve, at, (cut) => cut.fraction) : NaN;

/** One row of the chart: the cuts of either run at one share of the parameters. */
export interface CutRow {
  kept: number;
  run: number | null;
  other: number | null;
}

/** Both curves by kept share, ascending. */
export function cutRows(run: CutCurve | null, other: CutCurve | null, shows: CutShows): CutRow[] {
  const rows = new Map<number, CutRow>();
  const add = (curve: CutCurve | null, key: 'run' | 'other') => {
    for (const cut of curve?.cuts ?? []) {
      const row = rows.get(cut.fraction) ?? { kept: cut.fraction, run: null, other: null };
      row[key] = Number.isFinite(cut[shows]) ? cut[shows] : null;
      rows.set(cut.fraction, row);
    }
  };
  add(run, 'run');
  add(other, 'other');
  return [...rows.values()].sort((a, b) => a.kept - b.kept);
}

/** Vertical axis of the chart; accuracies start at 0. */
export function cutAxis(curves: readonly (CutCurve | null)[], shows: CutShows): { domain: [number, number]; ticks: number[] } {
  const values = curves
    .flatMap((curve) => (curve ? [curve.full[shows], ...curve.cuts.map((cut) => cut[shows])] : []))
    .filter((value) => Number.isFinite(value));
  if (values.length === 0) return { domain: [0, 1], ticks: [0, 0.5, 1] };
  const high = Math.max(...values);
  const domain: [number, number] =
    shows === 'accuracy'
      ? [0, Math.min(1, Math.max(0.1, Math.ceil(high * 1.04 * 20) / 20))]
      : (([low, top]) => [low, top] as [number, number])(niceDomain(Math.min(...values), high));
  return { domain, ticks: niceTicks(domain[0], domain[1], 5) };
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
