import { useMemo } from 'react';
import { useShallow } from 'zustand/react/shallow';
import type { Experiment } from '../../protocol/experiment';
import { accuracyCutOf, tailOf, thinned } from '../../store/runs';
import { useStore, type RunSummary } from '../../store/store';
import { hereExperiment, runOnScreen } from '../../store/actions';
import { rowsOf } from './tableRows';

/** The settings that differences are told against. */
export const useHereExperiment = (): Experiment => useStore(hereExperiment);

/** Rows of the table in its order. */
export function useRunRows(filter = ''): RunSummary[] {
  const { runs, here, runSort } = useStore(useShallow((s) => ({ runs: s.runs, here: runOnScreen(s), runSort: s.runSort })));
  return useMemo(() => rowsOf(runs, { here, filter, ...runSort }), [runs, here, filter, runSort]);
}

/** The worker's run on screen as it is at this moment, its stored summary is seconds old; any other as it is stored. */
export function useLive(run: RunSummary, live: boolean): RunSummary {
  const now = useStore(
    useShallow((s) =>
      live
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
  const losses = useMemo(() => (now?.series ? thinned(now.series.lossSmooth) : null), [now?.series]);
  const tail = useMemo(() => tailOf(now?.spectra?.matrices), [now?.spectra]);
  if (!now) return run;
  const { phase, step, totalSteps, experiment } = now;
  return {
    ...run,
    ...{ phase, step, totalSteps, experiment, tail: tail ?? run.tail, losses: losses ?? run.losses },
    accuracy: now.accuracy ?? run.accuracy,
    accuracyCut: accuracyCutOf(now.curves) ?? run.accuracyCut,
  };
}
