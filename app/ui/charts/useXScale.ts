import { useMemo } from 'react';
import { clock } from '../../store/clock';
import { useStore, type AppState, type Axis, type ShownRun } from '../../store/store';
import { STEPS, stepMap, xScale, type RunPace, type StepMap, type XScale } from './axis';

/** Steps of an epoch of the run on screen, as its records say (they tell the epochs before a step); 0 where nothing is known. */
export const stepsPerEpoch = (s: AppState): number =>
  s.latest && s.latest.epoch > 0 ? Number(((s.latest.step - 1) / s.latest.epoch).toPrecision(6)) : (s.plan?.stepsPerEpoch ?? 0);

/** What an axis has to know of a kept run. */
export const paceOf = ({ record }: ShownRun): RunPace => {
  const { batchSize } = record.experiment.train;
  return { stepsPerEpoch: record.origin.trainCount / batchSize, batchSize, clock: record.clock };
};

/** Steps of the run on screen on the chosen axis; steps themselves where the run does not know better yet. */
function ownMap(axis: Axis, perEpoch: number, batchSize: number, first: ShownRun | undefined): StepMap {
  const times = axis === 'seconds' ? clock.packed() : new Float64Array();
  const own = stepMap(axis, { stepsPerEpoch: perEpoch, batchSize, clock: times });
  return own ?? (first && stepMap(axis, paceOf(first))) ?? STEPS;
}

const endsOf = (shown: readonly ShownRun[], axis: Axis): number[] =>
  shown.map((run) => stepMap(axis, paceOf(run))?.to(run.record.rows.length > 0 ? run.record.step : 0) ?? 0);

const batchSizeOf = (s: AppState): number => (s.running ?? s.experiment).train.batchSize;
const newestStep = (s: AppState): number => s.series?.step.at(-1) ?? s.step;

/** The axis of a state, once: for pictures that are saved. */
export function xScaleOf(s: AppState): XScale {
  const { axis, logX, zoom, totalSteps, shown } = s;
  const map = ownMap(axis, stepsPerEpoch(s), batchSizeOf(s), s.series ? undefined : shown[0]);
  return xScale({ axis, log: logX, zoom, map, step: newestStep(s), totalSteps, ends: endsOf(shown, axis) });
}

/** The axis that charts, heat map and scrubber share. The same object as long as nothing of it changes. */
export function useXScale(): XScale {
  const axis = useStore((s) => s.axis);
  const perEpoch = useStore((s) => (s.axis === 'epoch' ? stepsPerEpoch(s) : 0));
  const batchSize = useStore(batchSizeOf);
  const first = useStore((s) => (s.series === null ? s.shown[0] : undefined));
  // The clock lies outside React; it changes with the time of the run.
  const time = useStore((s) => (s.axis === 'seconds' ? `${s.runId} ${s.elapsedMs}` : ''));
  // eslint-disable-next-line react-hooks/exhaustive-deps -- time stands for what the clock says
  const map = useMemo(() => ownMap(axis, perEpoch, batchSize, first), [axis, perEpoch, batchSize, first, time]);
  const log = useStore((s) => s.logX);
  const zoom = useStore((s) => s.zoom);
  const step = useStore(newestStep);
  const totalSteps = useStore((s) => s.totalSteps);
  const shown = useStore((s) => s.shown);
  const ends = useMemo(() => endsOf(shown, axis), [shown, axis]);
  const { low, high, zoomed } = xScale({ axis, log, zoom, map, step, totalSteps, ends });
  return useMemo(() => ({ axis, log, low, high, zoomed, map }), [axis, log, low, high, zoomed, map]);
}
