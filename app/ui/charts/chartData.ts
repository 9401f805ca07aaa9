import type { Series } from '../../protocol/messages';
import { formatInt } from './format';
import { logTicks, niceCeil, niceDomain, niceTicks } from './scales';

/** One row of the charts; null where a curve has no point. Keys stay the same for the page's life. */
export interface ChartRow {
  step: number;
  loss: number | null;
  /** Lowest and highest raw loss of the interval, once points stand for more than one step. */
  band: [number, number] | null;
  smooth: number | null;
  accuracy: number | null;
  regularizer: number | null;
  lr: number | null;
  validation: number | null;
  otherSmooth: number | null;
  otherAccuracy: number | null;
}

const blank = (step: number): ChartRow => ({
  step,
  loss: null,
  band: null,
  smooth: null,
  accuracy: null,
  regularizer: null,
  lr: null,
  validation: null,
  otherSmooth: null,
  otherAccuracy: null,
});

const finite = (x: number | undefined): number | null => (x !== undefined && Number.isFinite(x) ? x : null);

/** True when the points of a series stand for more than one step each. */
export const isDecimated = (s: Series): boolean => s.step.length > 1 && s.step[s.step.length - 1]! > s.step.length * 1.5;

/** Most points a curve of another run is drawn with. */
const OTHER_POINTS = 120;

/** Rows in order of step: the run's points, its evaluations and those of the baseline's curve. */
export function chartRows(s: Series, other: Series | null = null): ChartRow[] {
  const rows = new Map<number, ChartRow>();
  const at = (step: number) => {
    let row = rows.get(step);
    if (!row) rows.set(step, (row = blank(step)));
    return row;
  };
  const decimated = isDecimated(s);
  for (let i = 0; i < s.step.length; i++) {
    const row = at(s.step[i]!);
    row.loss = finite(s.loss[i]);
    const low = finite(s.lossMin[i]);
    const high = finite(s.lossMax[i]);
    if (decimated && low !== null && high !== null) row.band = [low, high];
    row.smooth = finite(s.lossSmooth[i]);
    row.accuracy = finite(s.accuracySmooth[i]);
    row.regularizer = finite(s.regularizer[i]);
    row.lr = finite(s.lr[i]);
  }
  for (let i = 0; i < s.evalStep.length; i++) at(s.evalStep[i]!).validation = finite(s.evalAccuracy[i]);
  if (other) {
    const n = other.step.length;
    const stride = Math.max(1, Math.ceil(n / OTHER_POINTS));
    for (let i = 0; i < n; i += stride) at(other.step[i]!).otherSmooth = finite(other.lossSmooth[i]);
    if (n > 0) at(other.step[n - 1]!).otherSmooth = finite(other.lossSmooth[n - 1]);
    for (let i = 0; i < other.evalStep.length; i++) at(other.evalStep[i]!).otherAccuracy = finite(other.evalAccuracy[i]);
  }
  return [...rows.values()].sort((a, b) => a.step - b.step);
}

export type ChartKind = 'loss' | 'accuracy' | 'regularizer' | 'lr';

export interface ValueAxis {
  readonly domain: readonly [number, number];
  readonly ticks: readonly number[];
  readonly log: boolean;
  /** Where the newest value stands, from 0 (bottom) to 1 (top): the title goes to the other corner. */
  readonly end: number;
}

const quantile = (sorted: readonly number[], q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;

/** Range and ticks of a chart's vertical axis. A few raw outliers of the loss may leave it; the smoothed curve never does. */
export function valueAxis(kind: ChartKind, rows: readonly ChartRow[], wantLog: boolean, count: number): ValueAxis {
  const values: number[] = [];
  let last = NaN;
  const add = (v: number | null) => {
    if (v !== null) values.push(v);
  };
  const raw: number[] = [];
  for (const row of rows) {
    if (kind === 'loss') {
      add(row.smooth);
      add(row.otherSmooth);
      if (row.band) raw.push(row.band[0], row.band[1]);
      else if (row.loss !== null) raw.push(row.loss);
      last = row.smooth ?? last;
    } else if (kind === 'accuracy') {
      add(row.accuracy);
      add(row.validation);
      add(row.otherAccuracy);
      last = row.validation ?? row.accuracy ?? last;
    } else {
      add(row[kind]);
      last = row[kind] ?? last;
    }
  }
  if (raw.length) {
    raw.sort((a, b) => a - b);
    values.push(quantile(raw, 0.01), quantile(raw, 0.99));
  }
  const positive = values.filter((v) => v > 0);
  const log = wantLog && positive.length > 0;
  let low = Math.min(...(log ? positive : values));
  const high = Math.max(...(log ? positive : values));
  if (!Number.isFinite(low) || !Number.isFinite(high)) return { domain: [0, 1], ticks: [0, 1], log: false, end: 0.5 };
  let domain: [number, number];
  if (log) {
    low = Math.max(low, high * 1e-8);
    domain = [low * 0.92, high * 1.08];
  } else if (kind === 'accuracy') domain = [0, Math.min(1, Math.max(0.1, Math.ceil(high * 1.04 * 20) / 20))];
  else if (kind === 'loss') domain = niceDomain(low, high);
  else domain = [0, high > 0 ? high * 1.1 : 1];
  const ticks = log
    ? logTicks(domain[0], domain[1], count + 2)
    : niceTicks(domain[0], domain[1], kind === 'accuracy' ? count + 1 : count).filter((t) => kind !== 'accuracy' || t > 0);
  const end = log ? Math.log(last / domain[0]) / Math.log(domain[1] / domain[0]) : (last - domain[0]) / (domain[1] - domain[0]);
  return { domain, ticks, log, end };
}

/** Index of the last of ascending `steps` that is not above `step`; −1 before the first. */
export function indexAt(steps: Float64Array, step: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (steps[mid]! <= step) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** The real step nearest to a place on the axis; null without data. */
export function nearestStep(steps: Float64Array, step: number): number | null {
  const i = indexAt(steps, step);
  const before = steps[i];
  const after = steps[i + 1];
  if (before === undefined) return after ?? null;
  if (after === undefined) return before;
  return step - before <= after - step ? before : after;
}

/** Ticks below the charts: steps, or epochs where the length of one is known. The end of the axis always has one. */
export function stepTicks(lastStep: number, count: number, stepsPerEpoch?: number): { step: number; name: string }[] {
  const unit = stepsPerEpoch ?? 1;
  const end = lastStep / unit;
  const distance = niceCeil(end / count);
  const digits = Math.max(0, -Math.floor(Math.log10(distance) + 1e-9));
  const name = (value: number, places: number) => (stepsPerEpoch ? Number(value.toFixed(places)).toString() : formatInt(value));
  const out: { step: number; name: string }[] = [];
  for (let i = 0; i * distance < end - 0.6 * distance; i++) out.push({ step: i * distance * unit, name: name(i * distance, digits) });
  out.push({ step: lastStep, name: `${stepsPerEpoch ? 'epoch' : 'step'} ${name(end, Math.max(digits, end < 10 ? 1 : 0))}` });
  return out;
}
