import { useMemo } from 'react';
import { useStore, type AppState } from '../../store/store';
import { SpectraHistory, type SpectraColumns } from './spectraHistory';

const history = new SpectraHistory();
let following = false;
let runId = -1;

function follow(state: AppState): void {
  if (state.runId !== runId) {
    runId = state.runId;
    history.clear();
  }
  if (state.spectra) history.push(state.spectra.step, state.spectra.matrices);
}

/** Keeps the spectra of the run on screen from now on. May be called again; the first call counts. */
export function followSpectra(): void {
  if (following) return;
  following = true;
  follow(useStore.getState());
  useStore.subscribe((state, before) => {
    if (state.spectra !== before.spectra || state.runId !== before.runId) follow(state);
  });
}

/** A matrix of the run on screen over its steps; a new object with every spectrum, null before the second. */
export function useSpectraColumns(name: string): SpectraColumns | null {
  followSpectra();
  const spectra = useStore((s) => s.spectra);
  return useMemo(() => {
    const columns = spectra ? history.columns(name) : null;
    return columns && columns.count > 1 ? columns : null;
  }, [spectra, name]);
}
