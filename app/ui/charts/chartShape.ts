import { share, type XScale } from './axis';
import { isMeasured, mainLine, type ChartKind, type Line, type ValueAxis } from './chartData';
import type { RunCurve } from './curves';

/** A place in the plot, CSS pixels from its top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The curve of a run other than that on screen. */
export interface OtherShape {
  readonly key: string;
  readonly style: number;
  readonly points: readonly Point[];
  /** Where its markers stand; the last at its end. */
  readonly markers: readonly Point[];
}

/** The curves of one chart as places in its plot. */
export interface ChartShape {
  /** Highest and lowest raw loss where points stand for several steps each. */
  readonly band: { readonly high: readonly Point[]; readonly low: readonly Point[] } | null;
  /** The unsmoothed loss where each point is a step, or the training accuracy behind that of validation. */
  readonly raw: readonly Point[];
  readonly others: readonly OtherShape[];
  /** `measured`: the points are evaluations. */
  readonly main: { readonly points: readonly Point[]; readonly measured: boolean };
  /** The newest point of the main curve, if it is in the window. */
  readonly end: Point | undefined;
}

/** Markers of a curve, besides that at its end. */
const MARKERS = 5;

/** Places every curve of a chart in a plot of the given size. The first of `curves` with style 1 is the run on screen. */
export function chartShape(
  kind: ChartKind,
  curves: readonly RunCurve[],
  { domain: [low, high], log }: Pick<ValueAxis, 'domain' | 'log'>,
  x: XScale,
  { width, height }: { width: number; height: number },
): ChartShape {
  const round = (v: number): number => Math.round(v * 100) / 100;
  const Y = (v: number): number => round((1 - share({ log, low, high }, v)) * height);
  const curve = ({ map }: RunCurve, { step, value }: Line, when: (i: number) => boolean = () => true): Point[] => {
    const out: Point[] = [];
    for (let i = 0; i < step.length; i++) {
      const v = value[i]!;
      // A logarithmic axis has no place for zero.
      if (!Number.isFinite(v) || (log && v <= 0) || !when(i)) continue;
      const at = share(x, map.to(step[i]!));
      if (at > -2 && at < 3) out.push({ x: round(at * width), y: Y(v) });
    }
    return out;
  };
  const run = curves.find((c) => c.style === 1);
  const others = curves
    .filter((c) => c !== run)
    .map((c) => {
      const points = curve(c, mainLine(kind, c.series));
      return { key: c.key, style: c.style, points, markers: markersOf(points, width, c.style) };
    });
  if (!run) return { band: null, raw: [], others, main: { points: [], measured: false }, end: undefined };

  const s = run.series;
  const measured = kind === 'accuracy' && isMeasured(s);
  const points = curve(run, mainLine(kind, s));
  let band: ChartShape['band'] = null;
  let raw: Point[] = [];
  if (kind === 'loss') {
    const gap = (i: number): number => (s.step.length < 2 ? 1 : s.step[Math.max(1, i)]! - s.step[Math.max(0, i - 1)]!);
    const wide = (i: number): boolean => gap(i) > 1 && Number.isFinite(s.lossMin[i]!) && Number.isFinite(s.lossMax[i]!);
    const highs = curve(run, { step: s.step, value: s.lossMax }, wide);
    // Down to the edge where the lowest has no place.
    const lows = curve(run, { step: s.step, value: log ? s.lossMin.map((v) => Math.max(v, low * 1e-3)) : s.lossMin }, wide);
    if (highs.length > 1 && highs.length === lows.length) band = { high: highs, low: lows };
    raw = curve(run, { step: s.step, value: s.loss }, (i) => !wide(i) && gap(i) <= 1);
  } else if (measured) raw = curve(run, { step: s.step, value: s.accuracySmooth });
  const newest = points.at(-1);
  return { band, raw, others, main: { points, measured }, end: newest && newest.x <= width + 0.5 ? newest : undefined };
}

/** Some points of a curve, evenly apart, shifted by style so that those of runs that lie on each other do not; and its last. */
function markersOf(points: readonly Point[], width: number, style: number): Point[] {
  const out: Point[] = [];
  const distance = width / MARKERS;
  let next = distance * (0.35 + 0.09 * style);
  for (const point of points) {
    if (point.x < next || point.x > width) continue;
    out.push(point);
    while (next <= point.x) next += distance;
  }
  const last = points.at(-1);
  if (last && last.x <= width + 0.5 && last.x >= 0 && last !== out.at(-1)) {
    if (out.length > 0 && last.x - out.at(-1)!.x < 14) out.pop();
    out.push(last);
  }
  return out;
}
