import type { Cut, CutBy } from '../../protocol/truncation';
import type { Baseline, CutCurve, ShownRun } from '../../store/store';
import { baselineStyle } from './drawnBaseline';
import { niceDomain, niceTicks } from './scales';

export { matchingShare } from '../../protocol/truncation';

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

/** The curve of another run beside that of the run on screen. */
export interface OtherCut {
  readonly key: string;
  /** See `runStyle`. */
  readonly style: number;
  readonly label: string;
  readonly curve: CutCurve;
}

/** Curves beside that of the run on screen: the dense baseline's, where it is not shown anyway, and those of the runs that are shown. */
export function otherCuts(baseline: Baseline | null, shown: readonly ShownRun[], by: CutBy): OtherCut[] {
  const out: OtherCut[] = [];
  const dense = baseline?.curves[by];
  const style = baseline && baselineStyle(baseline, shown);
  if (dense && style) out.push({ key: 'baseline', style, label: 'Dense AdamW', curve: dense });
  for (const { record, style } of shown) {
    const curve = record.curves[by];
    if (curve) out.push({ key: record.id, style, label: record.name, curve });
  }
  return out;
}

/** One row of the chart: the cuts of all runs at one share of the parameters. */
export interface CutRow {
  kept: number;
  run: number | null;
  /** In the order of the other runs. */
  others: (number | null)[];
}

/** All curves by kept share, ascending. */
export function cutRows(run: CutCurve | null, others: readonly CutCurve[], shows: CutShows): CutRow[] {
  const rows = new Map<number, CutRow>();
  const add = (curve: CutCurve | null, set: (row: CutRow, value: number | null) => void) => {
    for (const cut of curve?.cuts ?? []) {
      const row = rows.get(cut.fraction) ?? { kept: cut.fraction, run: null, others: others.map(() => null) };
      set(row, Number.isFinite(cut[shows]) ? cut[shows] : null);
      rows.set(cut.fraction, row);
    }
  };
  add(run, (row, value) => (row.run = value));
  others.forEach((other, i) => add(other, (row, value) => (row.others[i] = value)));
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
