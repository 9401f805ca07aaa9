import { ConfigError, type Experiment } from '../../protocol/experiment';
import { linkParts } from '../../protocol/linkParts';
import { anyLocks, LockError, type Locks } from '../../protocol/locks';
import { nearestPreset, presetExperiment, PRESETS } from '../../protocol/presets';
import { parseShareUrl, toShareUrl, type LinkProblem } from '../../protocol/shareUrl';
import { ofFile } from '../files';
import { recorder } from '../recorder';
import { getState, setState } from '../store';
import { WorkerError } from '../workerClient';
import { loadFiles, requestSamples, type PathFile } from './data';
import { engine } from './engine';
import { adopt, planNow, requestPlan, runUnderWay } from './form';
import { lockPage, requireSameLocks } from './locks';
import { NotReadyError, play } from './run';
import { replayFile, replayResults, replayUrl } from './replay';
import { leaveReplay } from './leaveReplay';
import { importRunFiles, leaveRuns, openRunsShelf } from './runs';
import { lookForKept, resume } from './kept';
import { isPicture, showPicture } from './see';
import { followTheme, notify, openLessons, recall, remember, setProjector } from './view';
import { loadTensorFile } from './weights';

/** Names of errors that mean "as you wished". */
const CANCELLED = ['AbortError', 'CancelledError', 'CancelError'];

/** Runs what a button asks for; a failure becomes a notice, unless the page already shows it as a fault. */
export function attempt(action: Promise<unknown>): void {
  action.catch(tellFailure);
}
/** The same for what is done at once. */
export function attemptNow(action: () => void): void {
  try {
    action();
  } catch (error) {
    tellFailure(error);
  }
}
function tellFailure(error: unknown): void {
  if (!(error instanceof Error)) throw error;
  if (CANCELLED.includes(error.name) || (error instanceof WorkerError && error.fault)) return;
  const lines = error instanceof ConfigError || error instanceof NotReadyError ? [] : detailsOf(error);
  notify(error instanceof LockError ? 'warn' : 'error', error.message, lines);
}
const detailsOf = (error: Error): string[] => (error instanceof WorkerError && error.field ? [`Setting: ${error.field}`] : []);

const LOCKS_LATER = 'A link with locks takes effect in a new tab, or when no run is under way.';

let booted = false;
/** Starts the page: theme, link, device, plan. Call once. */
export async function boot(): Promise<void> {
  if (booted) return;
  booted = true;
  followTheme();
  const linked = applyLink(location.hash);
  if ((linked && getState().screen === 'first') || recall('q3r.visited')) setState((s) => (s.screen === 'first' ? { screen: 'main' } : {}));
  addEventListener('hashchange', () => applyLink(location.hash));
  attempt(openRunsShelf());
  addEventListener('pagehide', () => {
    recorder.flush();
    leaveRuns();
  });
  await openDevice(!linked);
}

/** Opens and measures the device. `suit` puts the preset that suits it into an untouched form. Faults arrive as events. */
export async function openDevice(suit: boolean): Promise<void> {
  const touched = getState().experiment;
  try {
    const device = await engine().send('init', { baseUrl: new URL('.', location.href).href });
    setState({ device });
    if (suit && getState().experiment === touched && PRESETS.some((p) => p.key === device.preset))
      setState({ preset: device.preset, experiment: presetExperiment(device.preset, touched.dataset) });
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    if (!getState().fault)
      setState({ fault: error.fault ?? { kind: 'internal', message: error.message, detail: `${error.name}: ${error.message}` } });
    return;
  }
  engine()
    .send('view', { smoothing: getState().smoothing })
    .catch(() => undefined);
  void lookForKept();
  await planNow().catch(() => undefined);
  // Compiling comes first, it is what Play waits for. Nobody waits for this: Play does not depend on it, and takes over where it is.
  engine()
    .send('warm', { experiment: getState().experiment })
    .catch(() => undefined);
  await requestSamples('shapes', 8).catch(() => undefined);
}

/** A fresh worker with the same experiment; `andPlay` goes on to train from step 0. */
export async function retry(andPlay = false): Promise<void> {
  leaveReplay();
  engine().restart();
  // The fresh worker counts its runs from 1 again.
  setState({
    fault: null,
    recovering: false,
    device: null,
    phase: 'idle',
    runId: 0,
    // What the table has of the crashed run is all there is of it.
    runHere: null,
    running: null,
    loaded: {},
    dataset: null,
    dataProgress: null,
    origin: null,
    loadingTensors: null,
    starting: false,
    stages: [],
    step: 0,
    timing: null,
  });
  await openDevice(false);
  if (andPlay && getState().device) await play();
}

/** A fresh worker, and the run of the crashed one as it was kept, paused. @throws WorkerError */
export async function resumeAfterCrash(key: string): Promise<void> {
  await retry();
  if (getState().device) await resume(key);
}

/**
 * Applies a link's hash; what is wrong with it is told and not applied. A recording it names, or results that it holds, come on screen.
 * True when it holds an experiment.
 */
export function applyLink(hash: string): boolean {
  const { experiment: text, replay, results, embed, compare } = linkParts(hash);
  if (embed) setState({ embed, screen: 'main' });
  // A comparison is beside a run that is under way, which stays.
  const beside = compare !== undefined && runUnderWay();
  if (text !== '' && !beside) applyExperiment(text);
  if (beside && getState().lockBase === null && anyLocks(parseShareUrl(text).locks)) notify('warn', LOCKS_LATER);
  if (compare) attempt(showComparison(text, compare));
  if (replay !== undefined || results !== undefined) setState({ screen: 'main' });
  if (replay !== undefined) attempt(replayUrl(replay));
  else if (results !== undefined) attempt(showResults(results, parseShareUrl(text).experiment));
  return text !== '' || compare !== undefined;
}

/** Says which parts of a link were not applied, and why. */
export function tellProblems(problems: readonly LinkProblem[]): void {
  if (problems.length === 0) return;
  notify(
    'warn',
    problems.length === 1 ? 'One part of the link was not applied' : `${problems.length} parts of the link were not applied`,
    problems.map((p) => `${p.field}: ${p.message}`),
  );
}

/** Opens Compare with what a link compares. */
async function showComparison(base: string, parts: readonly string[]): Promise<void> {
  setState({ screen: 'main' });
  const { openComparison } = await import('../compare/share');
  await openComparison(base, parts);
}

/** The part of a link that is an experiment, with what it takes away from the page and the lesson it opens. */
function applyExperiment(text: string): void {
  const { experiment, problems, locks, projector, lesson } = parseShareUrl(text);
  const held = getState().lockBase !== null;
  tellProblems(problems);
  attemptNow(() => {
    requireSameLocks(locks);
    adopt(experiment, nearestPreset(experiment), 'the experiment of the link');
    // Locks that come to an open page hold from when its experiment is shown.
    if (!held && getState().experiment === experiment) lockPage(locks, experiment);
    else if (!held && anyLocks(locks)) notify('warn', LOCKS_LATER);
  });
  if (projector) setProjector(true);
  if (lesson) openLessons(lesson);
  requestPlan();
}

/** Shows the results of a link. @throws ResultsLinkError naming what is wrong with them; nothing of them is shown then */
async function showResults(results: string, experiment: Experiment): Promise<void> {
  const { decodeResults } = await import('../../protocol/run/resultsLink');
  replayResults(decodeResults(results, experiment));
}

/** The link to the shown experiment; what the page’s own link took away stays away in it. */
export const shareUrl = (experiment: Experiment = getState().experiment): string =>
  toShareUrl(experiment, location.href, getState().locks, getState().projector);

/** The link to the shown experiment for a class: with locks, in projector type if wanted. What the page’s own link took away stays away. */
export const teacherUrl = (locks: Locks, projector: boolean): string => {
  const { experiment, locks: own } = getState();
  return toShareUrl(experiment, location.href, anyLocks(own) ? own : locks, projector);
};

/** Copies the link. False when the browser refuses the clipboard; the page then shows the text to select. */
export async function share(): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(shareUrl());
    return true;
  } catch {
    return false;
  }
}

/**
 * Files dropped or chosen anywhere: runs, a checkpoint, weights, or a data set; one picture, while the model is looked into.
 * @throws WorkerError, RunFileError; Error for several files of weights
 */
export async function takeFiles(files: readonly (File | PathFile)[]): Promise<void> {
  if (files.length === 0) return;
  const [first] = files;
  const blob = 'blob' in first! ? first.blob : first!;
  if (getState().seeOpen && files.length === 1 && isPicture(blob)) {
    showPicture(blob, first!.name);
    return;
  }
  const [tensors, ...others] = files.filter((file) => file.name.toLowerCase().endsWith('.safetensors'));
  if (others.length > 0) throw new Error(`One file of weights at a time: ${others.length + 1} that end in .safetensors were given.`);
  if (files.every((file) => /\.json(\.gz)?$/i.test(file.name))) {
    // One is shown at once; all are in the table.
    if (files.length === 1) await ofFile(first!.name, replayFile(blob));
    await importRunFiles(files.map((file) => ('blob' in file ? file : { name: file.name, blob: file })));
  } else if (tensors) await loadTensorFile('blob' in tensors ? tensors.blob : tensors);
  else await loadFiles(files);
}

/** The first screen is for the first visit; from then on the page opens with the instrument. */
export function skipFirst(): void {
  remember('q3r.visited', '1');
  setState({ screen: 'main' });
}
