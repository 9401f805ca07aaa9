import type { Series } from '../../protocol/messages';
import { share, type XScale } from './axis';
import { isWithin, type RunCurve } from './curves';
import { logTicks, niceDomain, niceTicks } from './scales';

export type ChartKind = 'loss' | 'accuracy' | 'regularizer' | 'lr';
export const CHART_KINDS: readonly ChartKind[] = ['loss', 'accuracy', 'regularizer', 'lr'];

/** What is drawn as the curve of a run: its steps and values. */
export interface Line {
  readonly step: ArrayLike<number>;
  readonly value: ArrayLike<number>;
}

/** True when accuracy is that of validations. */
export const isMeasured = (s: Series): boolean => s.evalStep.length > 0;

/** The main curve of a chart: smoothed loss, validation accuracy (that of training before there is any), and the rest as it is. */
export function mainLine(kind: ChartKind, s: Series): Line {
  if (kind === 'loss') return { step: s.step, value: s.lossSmooth };
  if (kind === 'accuracy') return isMeasured(s) ? { step: s.evalStep, value: s.evalAccuracy } : { step: s.step, value: s.accuracySmooth };
  return { step: s.step, value: s[kind] };
}

export interface ValueAxis {
  readonly domain: readonly [number, number];
  readonly ticks: readonly number[];
  readonly log: boolean;
  /** Where the newest value stands, from 0 (bottom) to 1 (top): the title goes to the other corner. */
  readonly end: number;
  /** A logarithmic axis has no place for some values, because they are zero. */
  readonly misses: boolean;
}

const quantile = (sorted: readonly number[], q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
/** At most `count` places of an axis of accuracy, 0 not among them; every second of the round ones where all would touch. */
function shareTicks([low, high]: [number, number], count: number): number[] {
  const all = niceTicks(low, high, count + 1).filter((t) => t > 0);
  const distance = all[1]! - all[0]!;
  return all.length > count ? all.filter((t) => Math.round(t / distance) % 2 === 0) : all;
}

const NOTHING: ValueAxis = { domain: [0, 1], ticks: [0, 1], log: false, end: 0.5, misses: false };

/** Range and ticks of a chart's vertical axis for what its window shows. A few raw outliers of the loss may leave it; the smoothed curve never does. */
export function valueAxis(kind: ChartKind, curves: readonly RunCurve[], x: XScale, wantLog: boolean, count: number): ValueAxis {
  const values: number[] = [];
  const raw: number[] = [];
  let last = NaN;
  let reach = -Infinity;
  const add = ({ map }: RunCurve, { step, value }: Line) => {
    for (let i = 0; i < step.length; i++) {
      const v = value[i]!;
      if (!Number.isFinite(v) || !isWithin(x, map, step[i]!)) continue;
      values.push(v);
      // What stands at the right edge, by which the title goes out of the way.
      if (map.to(step[i]!) >= reach) [reach, last] = [map.to(step[i]!), v];
    }
  };
  for (const curve of curves) {
    const { series, map, style } = curve;
    add(curve, mainLine(kind, series));
    if (style !== 1) continue;
    if (kind === 'accuracy' && isMeasured(series)) add(curve, { step: series.step, value: series.accuracySmooth });
    if (kind !== 'loss') continue;
    for (let i = 0; i < series.step.length; i++) {
      if (!isWithin(x, map, series.step[i]!)) continue;
      if (Number.isFinite(series.lossMin[i]!)) raw.push(series.lossMin[i]!);
      if (Number.isFinite(series.lossMax[i]!)) raw.push(series.lossMax[i]!);
    }
  }
  if (raw.length) {
    raw.sort((a, b) => a - b);
    values.push(quantile(raw, 0.01), quantile(raw, 0.99));
  }
  const positive = values.filter((v) => v > 0);
  const log = wantLog && positive.length > 0;
  const used = log ? positive : values;
  let low = used.reduce((a, b) => Math.min(a, b), Infinity);
  const high = used.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return NOTHING;
  let domain: [number, number];
  if (log) {
    low = Math.max(low, high * 1e-8);
    const air = Math.max(1.08, (high / low) ** 0.04);
    domain = [low / air, high * air];
  } else if (kind === 'accuracy') {
    // From 0, but for a window in which that would make a flat line of the curve.
    domain = x.zoomed ? clampShare(niceDomain(low, high)) : [0, accuracyTop(high)];
  } else if (kind === 'loss' || x.zoomed) domain = niceDomain(low, high);
  else domain = [0, high > 0 ? high * 1.1 : 1];
  // Within a few multiples a logarithmic axis is nearly even, and 1, 2, 5 would name one place of it.
  const ticks =
    log && domain[1] > 4 * domain[0]
      ? logTicks(domain[0], domain[1], count + 2)
      : kind === 'accuracy'
        ? shareTicks(domain, count)
        : niceTicks(domain[0], domain[1], count);
  return { domain, ticks, log, end: share({ log, low: domain[0], high: domain[1] }, last), misses: log && values.length > positive.length };
}

/** Upper end of an axis of accuracy from 0, for the highest of its values: the next twentieth with a little air. */
export const accuracyTop = (high: number): number => Math.min(1, Math.max(0.1, Math.ceil(high * 1.04 * 20) / 20));
const clampShare = ([low, high]: [number, number]): [number, number] => [Math.max(0, low), Math.min(1, high)];

/** Index of the last of ascending `steps` that is not above `step`; −1 before the first. */
export function indexAt(steps: ArrayLike<number>, step: number): number {
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
export function nearestStep(steps: ArrayLike<number>, step: number): number | null {
  const i = indexAt(steps, step);
  const before = steps[i];
  const after = steps[i + 1];
  if (before === undefined) return after ?? null;
  if (after === undefined) return before;
  return step - before <= after - step ? before : after;
}

/** The values of a run at a step: those of the last point up to it; NaN where there is none. */
export function valuesAt(s: Series, step: number): Record<ChartKind, number> {
  const i = indexAt(s.step, step);
  const e = indexAt(s.evalStep, step);
  return {
    loss: s.lossSmooth[i] ?? NaN,
    accuracy: s.evalAccuracy[e] ?? s.accuracySmooth[i] ?? NaN,
    regularizer: s.regularizer[i] ?? NaN,
    lr: s.lr[i] ?? NaN,
  };
}
