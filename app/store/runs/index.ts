import type { RunRecord } from '../../protocol/run/record';
import type { RunGrid, RunSummary } from '../slices/runs';
import { getState, setState } from '../store';
import { Shelf, type Bound, type KeepOptions } from './shelf';
import { Database, type RunStorage } from './storage';

export { MAX_BYTES, MAX_GRID_RUNS, MAX_RUNS, STYLES } from './shelf';
export { accuracyCutOf, CUT_SHARE, nameOf, tailOf, thinned } from './summary';

function show(runs: RunSummary[], runsUnstored: string | null): void {
  setState(({ shown, runsDiffer }) => {
    const has = (id: string) => runs.some((run) => run.id === id);
    return {
      runs,
      runsUnstored,
      ...(shown.some(({ record }) => !has(record.id)) && { shown: shown.filter(({ record }) => has(record.id)) }),
      ...(runsDiffer && !runsDiffer.every(has) && { runsDiffer: null }),
    };
  });
}

let shelf = new Shelf(new Database(), show);
let loading: Promise<void> | null = null;

/** Other tabs of the page on this device. */
const others = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('q3r-runs');
others?.addEventListener('message', () => void shelf.load());
const tellOthers = (): void => others?.postMessage('changed');

/** Keeps runs elsewhere from now on, for tests. */
export function useStorage(storage: RunStorage, bound?: Bound): void {
  shelf = new Shelf(storage, show, bound);
  loading = null;
}

/** Reads the index of kept runs, once. Never rejects: what cannot be read is told in the table. */
export const loadRuns = (): Promise<void> => (loading ??= shelf.load());

/** The runs that this browser keeps, newest first. */
export async function allRuns(): Promise<readonly RunSummary[]> {
  await loadRuns();
  return shelf.list();
}

/** A kept run, whole. @throws Error where it is not kept any more */
export async function getRun(id: string): Promise<RunRecord> {
  await loadRuns();
  return shelf.get(id);
}

/** Stores the newest state of a run of this page. */
export async function keepRun(record: RunRecord, options: KeepOptions = {}): Promise<void> {
  await loadRuns();
  await shelf.keep(record, options);
  tellOthers();
}

/** Keeps a run that a visitor adds: from a file, unless it is of a grid. One that is kept already, as far or farther, stays as it is. */
export async function addRun(record: RunRecord, grid?: RunGrid): Promise<RunSummary> {
  await loadRuns();
  const known = shelf.list().find(({ id }) => id === record.id);
  if (known && known.step >= record.step) return known;
  const summary = await shelf.keep(record, { imported: !grid, grid, asked: true });
  tellOthers();
  return summary!;
}

/** Changes name, colour or pin of a run. */
export async function patchRun(id: string, change: Partial<Pick<RunSummary, 'name' | 'pinned' | 'style'>>): Promise<void> {
  await shelf.patch(id, change);
  const { name, style } = change;
  setState(({ shown }) => ({
    shown: shown.map((run) =>
      run.record.id === id ? { style: style ?? run.style, record: name === undefined ? run.record : { ...run.record, name } } : run,
    ),
  }));
  tellOthers();
}

/** Takes runs off the table, or puts them back. */
export const hideRuns = (ids: readonly string[], hidden: boolean): void => shelf.hide(ids, hidden);

/** Removes runs for good. @throws Error where the storage refuses */
export async function removeRuns(ids: readonly string[]): Promise<void> {
  await shelf.delete(ids);
  tellOthers();
}

/** The summary of a run in the table. */
export const runById = (id: string): RunSummary | undefined => getState().runs.find((run) => run.id === id);
