import type { Experiment } from '../../protocol/experiment';
import { day } from '../../protocol/numbers';
import { nearestPreset } from '../../protocol/presets';
import type { RunRecord } from '../../protocol/run/record';
import { runFileName, saveFile } from '../files';
import { recorder } from '../recorder';
import { readText } from '../recordings';
import { addRun, getRun, hideRuns, loadRuns, patchRun, removeRuns, runById, STYLES } from '../runs';
import type { RunColumn, RunSummary } from '../slices/runs';
import type { ShownRun } from '../slices/shown';
import { getState, setState, useStore, type AppState } from '../store';
import { engine } from './engine';
import { adopt, show } from './form';
import { UNDO_MS } from './kept';
import { leaveReplay } from './leaveReplay';
import { guard } from './locks';
import { pause, play, prepare } from './run';
import { notify, recall, remember } from './view';

/** Runs drawn over the run on screen, at most. */
export const MAX_SHOWN = STYLES.length;

/** Text and its parser of a run file; loaded when one is read or written. */
const runFile = () => import('../../protocol/run/file');

/** Draws a kept run over the run on screen, or takes it off. @throws Error where it is not kept any more */
export async function showRun(id: string, on: boolean): Promise<void> {
  const { shown } = getState();
  if (!on) {
    setState({ shown: shown.filter(({ record }) => record.id !== id) });
    return;
  }
  if (id === runOnScreen(getState()) || shown.some(({ record }) => record.id === id)) return;
  if (shown.length >= MAX_SHOWN) {
    notify('info', `At most ${MAX_SHOWN} runs are drawn over the run on screen: hide one to show another.`);
    return;
  }
  const record = await getRun(id);
  let style = runById(id)?.style ?? STYLES[0];
  const taken = (other: number) => getState().shown.some((run) => run.style === other);
  if (taken(style)) {
    style = STYLES.find((other) => !taken(other)) ?? style;
    await patchRun(id, { style });
  }
  setState((s) =>
    s.shown.length >= MAX_SHOWN || s.shown.some((run) => run.record.id === id) ? {} : { shown: inOrder([...s.shown, { record, style }]) },
  );
}
const inOrder = (shown: ShownRun[]): ShownRun[] => shown.sort((a, b) => b.record.date - a.record.date);

/** Gives a run another name. An empty one is no name, and changes nothing. */
export async function renameRun(id: string, name: string): Promise<void> {
  const clean = name.trim().slice(0, 120);
  if (clean && clean !== runById(id)?.name) await patchRun(id, { name: clean });
}
/** A pinned run stands on top of the table, and stays when older runs make room. */
export const pinRun = (id: string, pinned: boolean): Promise<void> => patchRun(id, { pinned });

/** Colour, dash and marker. The shown run that had them takes this one's. */
export async function styleRun(id: string, style: number): Promise<void> {
  const { shown } = getState();
  const isShown = shown.some(({ record }) => record.id === id);
  const other = shown.find((run) => run.style === style && run.record.id !== id);
  const before = runById(id)?.style;
  if (isShown && other && before !== undefined) await patchRun(other.record.id, { style: before });
  await patchRun(id, { style });
}

let undoTimer: ReturnType<typeof setTimeout> | undefined;
/** Takes runs off the table; they are removed from the browser when the time for Undo is over. */
export function deleteRuns(ids: readonly string[]): void {
  finishDeleteRuns();
  const runsDeleted = getState().runs.filter((run) => ids.includes(run.id));
  if (runsDeleted.length === 0) return;
  hideRuns(ids, true);
  setState({ runsDeleted });
  undoTimer = setTimeout(finishDeleteRuns, UNDO_MS);
}
export function undoDeleteRuns(): void {
  clearTimeout(undoTimer);
  hideRuns(
    getState().runsDeleted.map(({ id }) => id),
    false,
  );
  setState({ runsDeleted: [] });
}
/** Undo is over. */
export function finishDeleteRuns(): void {
  clearTimeout(undoTimer);
  const ids = getState().runsDeleted.map(({ id }) => id);
  if (ids.length === 0) return;
  setState({ runsDeleted: [] });
  removeRuns(ids).catch((error: unknown) =>
    notify('error', `Deleted runs are back: ${error instanceof Error ? error.message : String(error)}`),
  );
}

/** A kept run, or the run on screen as it is now. @throws Error where there is none */
async function recordOf(id?: string): Promise<RunRecord> {
  const record = id === undefined || id === getState().runHere ? recorder.record() : null;
  if (id === undefined && !record) throw new Error('There is no run on screen yet: a run begins with its first step.');
  return record ?? getRun(id!);
}

/** The text of a run file: of a kept run, or of the run on screen as it is now. @throws Error where there is none */
export async function exportRun(id?: string): Promise<string> {
  const [record, { encodeRun }] = await Promise.all([recordOf(id), runFile()]);
  return encodeRun(record);
}

/** A whole run as a file in the downloads; it can be opened here again. */
export async function saveRecord(record: RunRecord): Promise<void> {
  const { encodeRun } = await runFile();
  saveFile(encodeRun(record), runFileName(record), 'application/json');
}

/** A kept run as a file in the downloads. @throws Error */
export const saveRunFile = async (id: string): Promise<void> => saveRecord(await recordOf(id));

/** Keeps the run in a file's text. @throws RunFileError naming what is wrong with it */
export async function importRun(text: string): Promise<RunSummary> {
  const { decodeRun } = await runFile();
  return addRun(decodeRun(text));
}

/** Keeps the runs of several files; each that cannot be read is named. */
export async function importRunFiles(files: readonly { readonly name: string; readonly blob: Blob }[]): Promise<void> {
  const added: RunSummary[] = [];
  const failed: string[] = [];
  for (const { name, blob } of files) {
    try {
      added.push(await importRun(await readText(blob.stream())));
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const s = (n: number) => (n === 1 ? '' : 's');
  if (failed.length > 0) notify('error', `${failed.length} file${s(failed.length)} could not be read as a run`, failed);
  if (added.length > 0) {
    remember('q3r.visited', '1');
    setState({ screen: 'main' });
    notify(
      'info',
      `${added.length} run${s(added.length)} added to the table.`,
      added.map(({ name, device, date }) => `${name}, made on ${device}, ${day(date)}`),
    );
  }
}

/** Puts a run's settings into the form, asking first where that would end a run. */
export function takeSettings(id: string): void {
  const run = runById(id);
  if (!run) return;
  guard(run.experiment);
  setState({ tab: 'setup', runsOpen: false });
  adopt(run.experiment, nearestPreset(run.experiment), `the settings of “${run.name}”`);
}

/** The newest state of a run that this browser keeps to go on from; undefined where there is none, or another tab has it open. */
export function checkpointOf(run: RunSummary | undefined): string | undefined {
  const { kept, runs } = getState();
  if (!run || run.checkpoint === null) return undefined;
  // A resumed run goes on in the same place: only the newest of them is there.
  if (runs.find((other) => other.checkpoint === run.checkpoint)?.id !== run.id) return undefined;
  return kept.find((info) => info.run === run.checkpoint && info.kind === 'latest' && !info.open)?.key;
}

/** Opens "Same start, one change": the form shows the run's settings, and changes are free until it starts or is called off. */
export async function openFork(id: string): Promise<void> {
  const run = runById(id);
  if (!run) return;
  // Before anything opens: a form that shows something else must not be started as this run.
  guard(run.experiment);
  leaveReplay();
  if (getState().phase === 'running') await pause();
  const { experiment, preset } = getState();
  setState({ runFork: { id, name: run.name, from: run.experiment, before: { experiment, preset } } });
  show(structuredClone(run.experiment), nearestPreset(run.experiment));
}
/** The form shows again what it showed before. */
export function cancelFork(): void {
  const { runFork } = getState();
  if (!runFork) return;
  setState({ runFork: null });
  show(runFork.before.experiment, runFork.before.preset);
}
/** Starts the changed run from step 0. @throws WorkerError, NotReadyError */
export async function startFork(): Promise<void> {
  const { runFork, running, step } = getState();
  if (!runFork) return;
  setState({ runFork: null, runsOpen: false, tab: 'watch' });
  // Back at step 0 first: a live setting would otherwise change the run that stands there.
  if (running && step > 0) await engine().send('reset', {});
  recorder.from({ id: runFork.id, fork: runFork.from });
  await prepare();
  await play();
}

const LEFT = 'q3r.runs.deleted';
/** The page is left: what it could not delete in time, the next visit does. */
export function leaveRuns(): void {
  const ids = getState().runsDeleted.map(({ id }) => id);
  // A closing page may write here, and not in a database.
  if (ids.length > 0) remember(LEFT, JSON.stringify(ids));
  finishDeleteRuns();
}
const SHOWN = 'q3r.runs.shown';
/** A remembered list of ids; empty where there is none, or something else. */
function idsOf(key: string): string[] {
  try {
    const ids: unknown = JSON.parse(recall(key) || '[]');
    return Array.isArray(ids) ? ids.map(String) : [];
  } catch {
    return [];
  }
}
/** Reads the kept runs, less those that an earlier visit deleted in its last moments, and draws again what it had drawn over its run. */
export async function openRunsShelf(): Promise<void> {
  const [left, drawn] = [idsOf(LEFT), idsOf(SHOWN)];
  await loadRuns();
  if (left.length > 0) {
    await removeRuns(left);
    remember(LEFT, '[]');
  }
  // A frame in another page shows what its link says, and nothing beside it.
  if (getState().embed) return;
  for (const id of drawn) if (runById(id)) await showRun(id, true);
  useStore.subscribe(({ shown }, before) => {
    if (shown !== before.shown) remember(SHOWN, JSON.stringify(shown.map(({ record }) => record.id)));
  });
}

export const sortRuns = (column: RunColumn): void =>
  setState(({ runSort }) => ({
    runSort: column === runSort.column ? { column, down: !runSort.down } : { column, down: column !== 'name' },
  }));
/** Lists the runs of a grid one by one, or folds them. */
export const unfoldGrid = (id: string, open: boolean): void =>
  setState(({ runGridsOpen }) => ({ runGridsOpen: open ? [...runGridsOpen, id] : runGridsOpen.filter((other) => other !== id) }));
export const openRuns = (runsOpen: boolean): void => setState({ runsOpen });
export const differRuns = (runsDiffer: readonly [string, string] | null): void => setState({ runsDiffer });

/** Id of the run that charts and wall show: the worker's, or the recording in its place; null where the table has none of it. */
export const runOnScreen = ({ replay, runHere }: Pick<AppState, 'replay' | 'runHere'>): string | null => (replay ? replay.id : runHere);

/** The settings that a difference is told against: of the run on screen, or of the form before there is one. */
export const hereExperiment = ({ running, experiment }: { running: Experiment | null; experiment: Experiment }): Experiment =>
  running ?? experiment;
