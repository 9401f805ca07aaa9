import { useMemo } from 'react';
import { clock } from '../../store/clock';
import { records } from '../../store/records';
import { columnsOf } from '../../protocol/run/series';
import type { Series } from '../../protocol/messages';
import { useStore, type AppState, type Axis, type Baseline, type ShownRun } from '../../store/store';
import { stepMap, type XScale } from './axis';
import { curveOf, evaluationsOf, otherPoints, stepsWithin, type CurveOptions, type RunCurve } from './curves';
import { baselineStyle } from './drawnBaseline';
import { methodName } from './methodName';
import { paceOf, stepsPerEpoch } from './useXScale';

type Window = Pick<XScale, 'zoomed' | 'log' | 'low' | 'high' | 'map'>;

/** A view of the run on screen that takes this long is not made anew with every step. */
const DEAR_MS = 4;
/** The share of the time that such views may take. */
const SHARE = 0.02;

/** The curve of the run on screen in a window, from the page's own records; made again when there is something new in it. */
class PageSeries {
  private key = '';
  private series: Series | null = null;
  private cost = 0;
  private at = 0;

  get(source: Series, smoothing: number, x: Window, running: boolean): Series {
    const { from = 1, to = Infinity } = stepsWithin({ x, map: x.map });
    const view = [source.runId, records.changes, smoothing, x.log, from, to, source.evalStep.length].join();
    const key = `${view} ${Math.min(records.length, to)}`;
    if (this.series && key === this.key) return this.series;
    const waits = running && this.cost > DEAR_MS && performance.now() - this.at < this.cost / SHARE;
    if (this.series && waits && this.key.startsWith(`${view} `)) return this.series;
    const begun = performance.now();
    this.series = curveOf(records.columns(), evaluationsOf(source), { runId: source.runId, smoothing, x, map: x.map });
    this.at = performance.now();
    this.cost = this.at - begun;
    this.key = key;
    return this.series;
  }
}
const page = new PageSeries();

/**
 * The curves of the run on screen. While it runs and all of it is shown, as the worker sends them; else from the page's records, so
 * that a zoom shows every step and a run that has ended, or is played back, follows the smoothing.
 */
function ownSeries(series: Series | null, smoothing: number, running: boolean, x: Window): Series | null {
  if (!series || (running && !x.zoomed && !x.log) || records.length < (series.step.at(-1) ?? 0)) return series;
  return page.get(series, smoothing, x, running);
}

const made = new WeakMap<Float64Array, { key: string; series: Series }>();

/** The curve of a kept run; remembered as long as it is asked for in the same way. */
function shownSeries({ record }: ShownRun, options: Omit<Parameters<typeof curveOf>[2], 'runId'>): Series {
  const { x, smoothing, points } = options;
  const key = [x.zoomed && [x.low, x.high], x.log, smoothing, points, record.evaluations.length].join();
  const before = made.get(record.rows);
  if (before?.key === key) return before.series;
  const series = curveOf(columnsOf(record.rows), record.evaluations, { ...options, runId: -1 });
  made.set(record.rows, { key, series });
  return series;
}

interface Beside {
  readonly shown: readonly ShownRun[];
  readonly baseline: Baseline | null;
  readonly smoothing: number;
  /** Of the data set of the run on screen. */
  readonly imagesPerEpoch: number;
  readonly dataset: string;
}

/** Other runs on the charts: those that are shown, and the dense baseline where it is not among them. */
function othersOf({ shown, baseline, smoothing, imagesPerEpoch, dataset }: Beside, axis: Axis, x: CurveOptions['x']): RunCurve[] {
  const points = otherPoints(shown.length);
  const out: RunCurve[] = [];
  const style = baseline ? baselineStyle(baseline, shown) : null;
  if (baseline?.series && style !== null) {
    const { train } = baseline.experiment;
    const map = stepMap(axis, {
      stepsPerEpoch: baseline.experiment.dataset === dataset ? imagesPerEpoch / train.batchSize : 0,
      batchSize: train.batchSize,
      clock: clock.of(baseline.series.runId),
    });
    if (map) out.push({ key: 'baseline', style, label: 'Dense AdamW', series: baseline.series, map });
  }
  for (const run of shown) {
    const map = stepMap(axis, paceOf(run));
    if (!map || run.record.rows.length === 0) continue;
    const series = shownSeries(run, { smoothing, points, x, map });
    out.push({ key: run.record.id, style: run.style, label: run.record.name, series, map });
  }
  return out;
}

const imagesPerEpochOf = (s: AppState): number => Math.round(stepsPerEpoch(s) * (s.running ?? s.experiment).train.batchSize);
const own = (series: Series, method: string, map: RunCurve['map']): RunCurve => ({
  key: 'run',
  style: 1,
  label: methodName(method),
  series,
  map,
});

/** All curves of a state, once: for pictures that are saved. */
export function curvesNow(s: AppState, x: XScale): readonly RunCurve[] {
  const { shown, baseline, smoothing } = s;
  const { dataset, method } = s.running ?? s.experiment;
  const series = ownSeries(s.series, smoothing, s.phase === 'running', x);
  const beside = { shown, baseline, smoothing, imagesPerEpoch: imagesPerEpochOf(s), dataset };
  return [...(series ? [own(series, method.name, x.map)] : []), ...othersOf(beside, x.axis, x)];
}

/** All curves on the charts, that of the run on screen first where there is one. */
export function useCurves(x: XScale): readonly RunCurve[] {
  const shown = useStore((s) => s.shown);
  const baseline = useStore((s) => s.baseline);
  const smoothing = useStore((s) => s.smoothing);
  const imagesPerEpoch = useStore(imagesPerEpochOf);
  const dataset = useStore((s) => (s.running ?? s.experiment).dataset);
  const method = useStore((s) => (s.running ?? s.experiment).method.name);
  const sent = useStore((s) => s.series);
  const running = useStore((s) => s.phase === 'running');
  const { axis, zoomed, log, map } = x;
  // Only the window of a zoom changes the curves of the others.
  const low = zoomed ? x.low : 0;
  const high = zoomed ? x.high : 0;
  const others = useMemo(
    () => othersOf({ shown, baseline, smoothing, imagesPerEpoch, dataset }, axis, { zoomed, log, low, high }),
    [shown, baseline, smoothing, imagesPerEpoch, dataset, axis, zoomed, log, low, high],
  );
  const series = ownSeries(sent, smoothing, running, x);
  return useMemo(() => [...(series ? [own(series, method, map)] : []), ...others], [series, others, method, map]);
}
