import type { CheckpointInfo, LoadedTensors } from '../../protocol/checkpoint';
import { modelName, nearestPreset } from '../../protocol/presets';
import { recorder } from '../recorder';
import type { LoadingTensors } from '../slices/kept';
import { getState, setState } from '../store';
import { engine } from './engine';
import { requestPlan, show } from './form';
import { leaveReplay } from './leaveReplay';
import { notify, remember } from './view';

/** How long a discarded run can be had back, milliseconds. */
export const UNDO_MS = 8000;

/** A page that was just left, by a reload or a crash, may hold its run for a moment: asked again after so many milliseconds. */
const ASK_AGAIN = [0, 1000, 3000];

/** Asks what this browser keeps, and offers the newest run when none is on screen yet. Silent where nothing can be kept. */
export async function lookForKept(): Promise<void> {
  for (const wait of ASK_AGAIN) {
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const kept = await engine()
      .send('checkpoints', {})
      .catch(() => []);
    const newest = kept.find((info) => info.kind === 'latest' && !info.open);
    setState((s) => ({ kept, offered: s.running ? s.offered : (newest?.key ?? null) }));
    if (!kept.some((info) => info.open)) return;
  }
}

/** The runs that this browser keeps, newest first. */
export async function checkpoints(): Promise<CheckpointInfo[]> {
  const kept = await engine().send('checkpoints', {});
  setState({ kept });
  return kept;
}

/** Goes on with a kept run: settings, charts, spectra and step as they were. @throws WorkerError; the run on screen then stays */
export async function resume(key: string): Promise<LoadedTensors> {
  const info = getState().kept.find((other) => other.key === key);
  const parent = getState().runs.find(({ checkpoint }) => checkpoint !== null && checkpoint === (info?.run ?? key.split(':')[0]));
  if (parent) recorder.from({ id: parent.id, fork: null });
  try {
    const loaded = await takeOver('the kept run', false, () => engine().send('resume', { key }));
    setState({ keptHere: info?.kind === 'latest' ? info : null });
    return loaded;
  } catch (error) {
    recorder.from(null);
    throw error;
  }
}

/** Removes a kept run at once. @throws WorkerError */
export async function deleteCheckpoint(key: string): Promise<void> {
  await engine().send('deleteCheckpoint', { key });
  setState((s) => ({ kept: s.kept.filter((info) => info.key !== key && info.run !== key), offered: s.offered === key ? null : s.offered }));
}

/** New runs start from random weights again; the run on screen goes on. @throws WorkerError */
export async function forgetOrigin(): Promise<void> {
  await engine().send('forgetOrigin', {});
  setState({ origin: null });
}

let undoTimer: ReturnType<typeof setTimeout> | undefined;
/** Takes a kept run off the page; it is removed from the browser when the time for Undo is over. */
export function discard(key: string): void {
  finishDiscard();
  const info = getState().kept.find((other) => other.key === key);
  if (!info) return;
  setState((s) => ({
    kept: s.kept.filter((other) => other.key !== key && other.run !== key),
    offered: s.offered === key ? null : s.offered,
    discarded: info,
  }));
  undoTimer = setTimeout(finishDiscard, UNDO_MS);
}
export function undoDiscard(): void {
  clearTimeout(undoTimer);
  setState({ discarded: null });
  void lookForKept();
}
function finishDiscard(): void {
  clearTimeout(undoTimer);
  const { discarded } = getState();
  if (!discarded) return;
  setState({ discarded: null });
  deleteCheckpoint(discarded.key).catch((error: unknown) => notify('error', error instanceof Error ? error.message : String(error)));
}
/** Hides the offer for this visit; the run stays in the menu. */
export const declineOffer = (): void => setState({ offered: null });

let loads = 0;
/** Loads something that becomes the run on screen, and shows it. @throws WorkerError */
export async function takeOver(what: string, cancel: boolean, load: () => Promise<LoadedTensors>): Promise<LoadedTensors> {
  leaveReplay();
  const mine = ++loads;
  const loading: LoadingTensors = { what, bytes: 0, totalBytes: 0, cancel };
  setState({ loadingTensors: loading });
  try {
    const loaded = await load();
    const { experiment, notes, step, kind } = loaded;
    show(experiment, nearestPreset(experiment));
    setState({ running: experiment, screen: 'main', tab: 'watch', fault: null, offered: null });
    if (kind !== 'checkpoint') setState({ origin: { name: what, model: modelName(experiment) } });
    remember('q3r.visited', '1');
    requestPlan();
    const message = {
      checkpoint: `The run is back at step ${step}.`,
      weights: `Weights of ${what} loaded: the run starts from them at step 0.`,
      pretrained: `Weights of ${what} loaded, and the model made to fit them: the run starts from them at step 0.`,
    }[kind];
    notify('info', message, notes);
    return loaded;
  } finally {
    if (mine === loads) setState({ loadingTensors: null, dataProgress: null });
  }
}
