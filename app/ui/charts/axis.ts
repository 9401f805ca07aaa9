import type { Axis } from '../../store/store';
import { formatInt } from './format';
import { logTicks, niceCeil, niceTicks, stepWindow } from './scales';

/** How the steps of one run stand on an axis: increasing, and each other's inverse. */
export interface StepMap {
  readonly to: (step: number) => number;
  readonly from: (value: number) => number;
}

/** What an axis has to know of a run. */
export interface RunPace {
  readonly stepsPerEpoch: number;
  readonly batchSize: number;
  /** Pairs of a step and the milliseconds of training until then. */
  readonly clock: Float64Array;
}

const linear = (factor: number): StepMap => ({ to: (step) => step * factor, from: (value) => value / factor });
/** Steps as they are. */
export const STEPS = linear(1);

/** Null where the run does not know: seconds without a clock, epochs without their length. */
export function stepMap(axis: Axis, pace: RunPace): StepMap | null {
  if (axis === 'step') return STEPS;
  if (axis === 'images') return linear(pace.batchSize);
  if (axis === 'epoch') return pace.stepsPerEpoch > 0 ? linear(1 / pace.stepsPerEpoch) : null;
  return clockMap(pace.clock);
}

/** Seconds between the known times in proportion, and beyond the last at the run's mean pace. */
function clockMap(clock: Float64Array): StepMap | null {
  const steps = [0];
  const seconds = [0];
  for (let i = 0; i + 1 < clock.length; i += 2) {
    const s = clock[i + 1]! / 1000;
    if (clock[i]! > steps.at(-1)! && s > seconds.at(-1)!) {
      steps.push(clock[i]!);
      seconds.push(s);
    }
  }
  if (steps.length < 2) return null;
  return { to: (step) => between(steps, seconds, step), from: (value) => between(seconds, steps, value) };
}

function between(x: readonly number[], y: readonly number[], at: number): number {
  const last = x.length - 1;
  if (at >= x[last]!) return (at / x[last]!) * y[last]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= at) low = middle;
    else high = middle;
  }
  return y[low]! + ((at - x[low]!) / (x[high]! - x[low]!)) * (y[high]! - y[low]!);
}

/** The horizontal axis of charts, heat map and scrubber, in its own unit. */
export interface XScale {
  readonly axis: Axis;
  readonly log: boolean;
  readonly low: number;
  readonly high: number;
  /** Only a part of the run is shown. */
  readonly zoomed: boolean;
  /** Steps of the run on screen on this axis. */
  readonly map: StepMap;
}

export interface XScaleInput {
  readonly axis: Axis;
  readonly log: boolean;
  readonly zoom: readonly [number, number] | null;
  readonly map: StepMap;
  /** Newest step, and how many the run is to have. */
  readonly step: number;
  readonly totalSteps: number;
  /** Where the curves of other runs end, in the axis' unit. */
  readonly ends: readonly number[];
}

export function xScale({ axis, log, zoom, map, step, totalSteps, ends }: XScaleInput): XScale {
  const first = map.to(1);
  if (zoom) {
    const high = map.to(zoom[1]);
    return { axis, log, low: log ? Math.max(first, map.to(zoom[0])) : map.to(zoom[0]), high, zoomed: true, map };
  }
  const window = stepWindow(step, totalSteps);
  // How long the rest will take is not known: a round time that changes seldom, and at the end the true one.
  const own = axis !== 'seconds' ? map.to(window) : step >= totalSteps ? map.to(step) : niceCeil(map.to(step) * 1.12);
  return { axis, log, low: log ? first : 0, high: Math.max(own, ...ends, first * 2), zoomed: false, map };
}

/** What places are counted on. */
export type Range = Pick<XScale, 'log' | 'low' | 'high'>;

/** Place of a value from 0 (left, bottom) to 1; below the edge of a logarithmic axis, far outside. */
export function share({ log, low, high }: Range, value: number): number {
  if (!log) return (value - low) / (high - low || 1);
  return Math.log(Math.max(value, low * 1e-3) / low) / Math.log(high / low);
}
/** Inverse of `share`. */
export const valueAt = ({ log, low, high }: Range, at: number): number => (log ? low * (high / low) ** at : low + at * (high - low));
/** Place of a step of the run on screen. */
export const stepShare = (x: XScale, step: number): number => share(x, x.map.to(step));
export const stepAt = (x: XScale, at: number): number => x.map.from(valueAt(x, at));

/** What a place on the axis is called, with its unit. */
export function axisName(axis: Axis, value: number, places = value < 10 ? 1 : 0): string {
  if (axis === 'seconds') return secondsName(value);
  if (axis === 'epoch') return `epoch ${Number(value.toFixed(Math.max(places, value < 10 ? 2 : 1)))}`;
  return axis === 'images' ? `${countName(value)} images` : `step ${formatInt(value)}`;
}

/** "40 s", "12:05", "1:02:05" */
export function secondsName(seconds: number): string {
  if (seconds < 120) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** 12 800, 1.28 M */
const countName = (value: number): string => (value >= 1e6 ? `${Number((value / 1e6).toPrecision(3))}\u2009M` : formatInt(value));

/** The same without its unit, for all but the last name on an axis. */
export const plainName = (axis: Axis, value: number, places = 2): string =>
  axis === 'seconds' ? secondsName(value) : axis === 'epoch' ? Number(value.toFixed(places)).toString() : countName(value);

export interface Tick {
  /** In the axis' unit. */
  readonly value: number;
  readonly name: string;
}

/** Names under the charts; the end of the axis always has one, and it says the unit. */
export function xTicks(x: XScale, count: number): Tick[] {
  const { axis, log, low, high } = x;
  const last = { value: high, name: axisName(axis, high) };
  const plain = (value: number, places: number) => plainName(axis, value, places);
  // The last name needs the room of more than half a distance.
  const room = (value: number) => share(x, value) < 1 - 0.62 / count;
  if (log) {
    const ticks = logTicks(low, high, count).filter(room);
    return [...ticks.map((value) => ({ value, name: plain(value, 4) })), last];
  }
  const distance = niceCeil((high - low) / count);
  const places = Math.max(0, -Math.floor(Math.log10(distance) + 1e-9));
  const ticks = (low > 0 ? niceTicks(low, high, count) : multiples(distance, high)).filter(
    (value) => room(value) && (axis === 'epoch' || axis === 'seconds' || Number.isInteger(value)),
  );
  return [...ticks.map((value) => ({ value, name: plain(value, places) })), last];
}

function multiples(distance: number, high: number): number[] {
  const out: number[] = [];
  for (let i = 0; i * distance < high - 0.6 * distance; i++) out.push(i * distance);
  return out;
}

/** The axis of a chart over the steps 1 to `last`. */
export const stepScale = (last: number): XScale => ({ axis: 'step', log: false, low: 0, high: last, zoomed: false, map: STEPS });

/** Its names. */
export function stepTicks(last: number, count: number): Tick[] {
  return xTicks(stepScale(last), count);
}
