import { useMemo } from 'react';
import { useShallow } from 'zustand/react/shallow';
import type { Experiment } from '../../protocol/experiment';
import { accuracyCutOf, tailOf, thinned } from '../../store/runs';
import { useStore, type RunSummary } from '../../store/store';
import { hereExperiment } from '../../store/actions';
import { rowsOf } from './tableRows';

/** The settings that differences are told against. */
export const useHereExperiment = (): Experiment => useStore(hereExperiment);

/** Rows of the table in its order. */
export function useRunRows(filter = ''): RunSummary[] {
  const { runs, runHere: here, runSort } = useStore(useShallow(({ runs, runHere, runSort }) => ({ runs, runHere, runSort })));
  return useMemo(() => rowsOf(runs, { here, filter, ...runSort }), [runs, here, filter, runSort]);
}

/** The run on screen as it is at this moment; its stored summary is seconds old. */
export function useLive(run: RunSummary, here: boolean): RunSummary {
  const live = useStore(
    useShallow((s) =>
      here
        ? {
            phase: s.phase,
            step: s.step,
            totalSteps: s.totalSteps,
            experiment: s.running ?? run.experiment,
            accuracy: s.evaluation?.accuracy ?? null,
            series: s.series,
            curves: s.curves,
            spectra: s.spectra,
          }
        : null,
    ),
  );
  const losses = useMemo(() => (live?.series ? thinned(live.series.lossSmooth) : null), [live?.series]);
  const tail = useMemo(() => tailOf(live?.spectra?.matrices), [live?.spectra]);
  if (!live) return run;
  const { phase, step, totalSteps, experiment } = live;
  return {
    ...run,
    ...{ phase, step, totalSteps, experiment, tail: tail ?? run.tail, losses: losses ?? run.losses },
    accuracy: live.accuracy ?? run.accuracy,
    accuracyCut: accuracyCutOf(live.curves) ?? run.accuracyCut,
  };
}
