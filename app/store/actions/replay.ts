import { nearestPreset } from '../../protocol/presets';
import type { Results } from '../../protocol/run/resultsLink';
import { RECORD_FIELDS, RECORD_WIDTH, type RunRecord } from '../../protocol/run/record';
import { columnsOf, seriesOf } from '../../protocol/run/series';
import type { Series, StepRecord } from '../../protocol/messages';
import type { CutCurve } from '../../protocol/truncation';
import { baselineFor, defaultSelection, newRun, withBaselineOf } from '../events';
import { onScreen } from '../memory';
import { fetchText, readText, recordingUrl, ReplayError } from '../recordings';
import type { Replay } from '../slices/replay';
import { getRun } from '../runs';
import { getState, setState, useStore, type AppState } from '../store';
import { putAside } from './engine';
import { adopt, requestPlan } from './form';
import { leaveReplay } from './leaveReplay';
import { cancelStart, pause } from './run';

export { listRecordings, recordingName, ReplayError, type Recording } from '../recordings';

/** What is on screen in a replay: a whole run, or what a link holds of one. */
let record: RunRecord | null = null;
let results: Results | null = null;

/** What is on screen in a replay; null outside. */
export const replayed = (): { readonly record: RunRecord | null; readonly results: Results | null } | null =>
  getState().replay && { record, results };

/** The last step of packed rows; null where there is none. */
export function lastOf({ rows }: RunRecord): StepRecord | null {
  if (rows.length < RECORD_WIDTH) return null;
  const last = rows.subarray(rows.length - RECORD_WIDTH);
  const fields = Object.fromEntries(RECORD_FIELDS.map((field, i) => [field, last[i]!])) as Omit<StepRecord, 'step'>;
  return { step: rows.length / RECORD_WIDTH, ...fields };
}

const seriesAt = (run: RunRecord, runId: number, smoothing: number): Series =>
  seriesOf(columnsOf(run.rows), run.evaluations, { runId, smoothing });

useStore.subscribe((state, before) => {
  if (state.replay && record && state.smoothing !== before.smoothing) setState({ series: seriesAt(record, state.runId, state.smoothing) });
});

/** The truncation slider stands at measured cuts, which are all there is. */
function nearestCuts({ cutAt, cutBy }: AppState, { curves }: RunRecord): Partial<AppState> {
  const other = cutBy === 'fraction' ? 'energy' : 'fraction';
  return {
    cutBy: curves[cutBy] || !curves[other] ? cutBy : other,
    cutAt: { fraction: nearestShare(curves.fraction, cutAt.fraction), energy: nearestShare(curves.energy, cutAt.energy) },
  };
}

/** The measured share nearest to `at`; `at` itself where nothing was measured. */
function nearestShare(curve: CutCurve | undefined, at: number): number {
  const shares = curve?.cuts.map((cut) => (curve.by === 'energy' ? (cut.energy ?? cut.fraction) : cut.fraction)) ?? [];
  return shares.length === 0 ? at : shares.reduce((best, x) => (Math.abs(x - at) < Math.abs(best - at) ? x : best));
}

function enter(run: RunRecord, replay: Replay, seriesFor: (runId: number, state: AppState) => Series, latest: StepRecord | null): void {
  const { starting, phase } = getState();
  if (starting || phase === 'running') (starting ? cancelStart() : pause()).catch(() => undefined);
  const runId = putAside();
  const { records, frames, clock } = onScreen;
  records.begin(runId, 0);
  records.append(runId, 1, run.rows);
  frames.load(runId, run.frames);
  clock.load(runId, run.clock);
  const last = run.frames.at(-1) ?? null;
  const msPerStep = run.elapsedMs / run.step;
  setState((s) => {
    const running: Partial<AppState> = {
      ...newRun(s, runId),
      // A page without a device shows recordings, too; what keeps it from training is told where that is asked for.
      fault: s.fault,
      replay,
      replayLoading: null,
      running: run.experiment,
      experiment: run.experiment,
      preset: nearestPreset(run.experiment),
      ask: null,
      plan: null,
      planError: null,
      phase: 'finished',
      // On screen already.
      shown: s.shown.filter(({ record }) => record.id !== replay.id),
      step: run.step,
      totalSteps: Math.max(run.totalSteps, run.step),
      elapsedMs: run.elapsedMs,
      timing:
        run.elapsedMs > 0 && run.step > 0
          ? { msPerStep, imagesPerSecond: (1000 * run.experiment.train.batchSize) / msPerStep, split: null }
          : null,
      series: seriesFor(runId, s),
      latest,
      marks: run.marks,
      evaluation: run.evaluations.at(-1) ?? null,
      spectra: last,
      curves: run.curves,
      selected: last?.matrices.some((m) => m.name === s.selected) ? s.selected : defaultSelection(last?.matrices ?? []),
      scrub: null,
      scrubbing: false,
      zoom: null,
      starting: false,
      stages: [],
      liveBytes: 0,
      ...nearestCuts(s, run),
      screen: 'main',
      tab: 'watch',
      setupOpen: false,
    };
    const next = { ...s, ...running };
    return { ...running, baseline: baselineFor(next), ...withBaselineOf(next) };
  });
  requestPlan();
}

/** Shows a whole run as if it had just ended; a run of the worker is paused, and back after `leaveReplay`. */
export function replay(run: RunRecord, source: string | null = null): void {
  record = run;
  results = null;
  const { device, software } = run.origin;
  enter(
    run,
    { id: run.id, name: run.name, device, software, date: run.date, from: 'recording', source },
    (runId, { smoothing }) => seriesAt(run, runId, smoothing),
    lastOf(run),
  );
}

/** Shows the results of a link. */
export function replayResults(link: Results): void {
  const { run, series, latest } = link;
  record = null;
  results = link;
  const { device, software } = run.origin;
  enter(
    run,
    { id: null, name: run.name, device, software, date: run.date, from: 'link', source: null },
    (runId) => ({ ...series, runId }),
    latest,
  );
}

/** Shows the run of a file's text. @throws RunFileError; the run on screen then stays */
export async function replayText(text: string, source: string | null = null): Promise<void> {
  const { decodeRun } = await import('../../protocol/run/file');
  replay(decodeRun(text), source);
}

/** Shows the run of a file. @throws RunFileError, ReplayError */
export async function replayFile(file: Blob): Promise<void> {
  await replayText(await readText(file.stream()));
}

/** Shows a run that this browser keeps. @throws Error where it is not kept */
export async function replayRun(id: string): Promise<void> {
  const run = await getRun(id);
  if (!run) throw new ReplayError('This browser does not keep that run any more.');
  replay(run);
}

let loading: AbortController | null = null;
/** Shows a recording by its name among those of the page, or by its address. @throws ReplayError, RunFileError; AbortError when called off */
export async function replayUrl(source: string): Promise<void> {
  loading?.abort();
  const mine = (loading = new AbortController());
  const what = source.split(/[/\\]/).at(-1) || source;
  setState({ replayLoading: { what, bytes: 0, totalBytes: 0 } });
  try {
    const url = await recordingUrl(source);
    mine.signal.throwIfAborted();
    const text = await fetchText(url, mine.signal, (bytes, totalBytes) => {
      if (loading === mine) setState({ replayLoading: { what, bytes, totalBytes } });
    });
    mine.signal.throwIfAborted();
    await replayText(text, source);
  } finally {
    if (loading === mine) {
      loading = null;
      setState({ replayLoading: null });
    }
  }
}

/** Calls the fetching of a recording off. */
export const cancelReplay = (): void => loading?.abort();

/** The experiment of the recording, ready to train here. */
export function runHere(): void {
  const { replay, running, preset } = getState();
  if (!replay || !running) return;
  leaveReplay();
  adopt(running, preset, 'the experiment of the recording');
}
