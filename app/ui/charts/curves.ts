import type { Series } from '../../protocol/messages';
import type { RunEvaluation } from '../../protocol/run/record';
import { MAX_POINTS, seriesOf, type Columns } from '../../protocol/run/series';
import { share, type StepMap, type XScale } from './axis';

/** The curves of one run, and where its steps stand on the axis. */
export interface RunCurve {
  readonly key: string;
  /** 1 for the run on screen, 2 to 8 for the others, see `runStyle`. */
  readonly style: number;
  readonly label: string;
  readonly series: Series;
  readonly map: StepMap;
}

/** Most points that a curve of another run has, by the number of them. */
export const otherPoints = (count: number): number => Math.max(100, Math.floor(MAX_POINTS / Math.max(1, count)));

/** What a curve of the shown part of a run is made from. */
export interface CurveOptions {
  readonly runId: number;
  readonly smoothing: number;
  readonly points?: number;
  /** As the axis shows it; only its window and whether it is logarithmic count. */
  readonly x: Pick<XScale, 'zoomed' | 'log' | 'low' | 'high'>;
  /** Steps of this run on that axis. */
  readonly map: StepMap;
}

/** Steps of a run that a window shows, a little more at both ends so that lines reach its edges. */
export function stepsWithin({ x, map }: Pick<CurveOptions, 'x' | 'map'>): { from?: number; to?: number } {
  if (!x.zoomed) return {};
  const low = map.from(x.low);
  const high = map.from(x.high);
  const more = Math.max(2, (high - low) / 100);
  return { from: Math.max(1, Math.floor(low - more)), to: Math.ceil(high + more) };
}

type Evaluations = readonly Omit<RunEvaluation, 'count'>[];

/** The series of a run in the axis' window, from all its steps. */
export function curveOf(columns: Columns, evaluations: Evaluations, o: CurveOptions): Series {
  const { runId, smoothing, points } = o;
  const window = stepsWithin(o);
  const series = seriesOf(columns, evaluations, { runId, smoothing, points, log: o.x.log, ...window });
  // Evaluations are few: those outside stay, so that the line between two of them is drawn where only it crosses the window.
  return evaluations.length > MAX_POINTS ? series : { ...series, ...evaluationColumns(evaluations) };
}

export const evaluationColumns = (all: Evaluations) => ({
  evalStep: Float64Array.from(all, (e) => e.step),
  evalLoss: Float32Array.from(all, (e) => e.loss),
  evalAccuracy: Float32Array.from(all, (e) => e.accuracy),
});

/** The evaluations in a series. */
export const evaluationsOf = (s: Series): Evaluations =>
  Array.from(s.evalStep, (step, i) => ({ step, loss: s.evalLoss[i]!, accuracy: s.evalAccuracy[i]! }));

/** Whether a step of a run lies in the axis' window. */
export function isWithin(x: XScale, map: StepMap, step: number): boolean {
  const at = share(x, map.to(step));
  return at >= -1e-9 && at <= 1 + 1e-9;
}
