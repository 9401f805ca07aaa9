import type { InspectSource, Pixels } from '../../protocol/inspection';
import type { CutChoice } from '../../protocol/truncation';
import { getState, setState, type AppState, type SeeSource, type SeeTab } from '../store';
import { WorkerError } from '../workerClient';
import { engine } from './engine';
import { choiceOf } from './truncation';

/** A standing run is looked at when it has stood still for so long, milliseconds. */
const REST = 300;
/** While training goes on: between two looks, at least so long, and so many times what the last one took. */
const PACE = { interval: 2000, cost: 5 };

export const openSee = (seeOpen: boolean): void => setState({ seeOpen, ...(seeOpen && { rooflineOpen: false, tab: 'watch' as const }) });
export const showSee = (seeTab: SeeTab): void => setState({ seeTab });

/** Puts a test image before the model. */
export const showTestImage = (index: number): void => look({ kind: 'test', index });
/** Puts the visitor's picture before the model. */
export const showPicture = (blob: Blob, name: string): void => look({ kind: 'picture', blob, name });
/** Light and dark of the visitor's picture, for data sets of one channel. */
export function invertPicture(invert: boolean): void {
  const { seeSource } = getState();
  if (seeSource.kind === 'picture') look({ ...seeSource, invert });
}
const look = (seeSource: SeeSource): void => setState({ seeSource, seeTab: 'attention', seeError: null });

/** A file that is one picture, by its type or, where the system knows none, by its name. */
export const isPicture = (blob: Blob): boolean =>
  blob.type.startsWith('image/') || (blob instanceof File && /\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(blob.name));

/** The truncation beside the whole model: the slider's, where any matrix may be truncated. */
export const seenCut = (state: AppState): CutChoice | undefined =>
  (state.running ?? state.experiment).method.targetModules.length > 0 ? choiceOf(state) : undefined;

const sameCut = (a: CutChoice | undefined, b: CutChoice | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

/** There is a model to look into; a recording holds no weights. */
export const canSee = ({ phase, replay }: Pick<AppState, 'phase' | 'replay'>): boolean =>
  replay === null && (phase === 'running' || phase === 'paused' || phase === 'finished');

let endedAt = -Infinity;
let cost = 0;
let movedAt = 0;
let lastStep = -1;
let lastCut = '';
let cutAt = -Infinity;

/**
 * What the open view should ask the engine for: nothing while it shows the run as it is. A running run is looked at again at a slow
 * pace, at once when the visitor changed what is asked; a standing one when it has come to rest.
 */
function due(state: AppState, now: number): 'survey' | 'inspect' | null {
  const { seeOpen, seeBusy, seeError, seeTab, seeSource, survey, inspection, step, phase } = state;
  if (step !== lastStep) [lastStep, movedAt] = [step, now];
  const cut = seenCut(state);
  if (JSON.stringify(cut ?? null) !== lastCut) [lastCut, cutAt] = [JSON.stringify(cut ?? null), now];
  if (!seeOpen || seeBusy || seeError !== null || !canSee(state)) return null;
  const asks = seeTab === 'attention' ? 'inspect' : 'survey';
  const seen = asks === 'inspect' ? inspection?.value : survey;
  if (!seen || (asks === 'inspect' && inspection?.source !== seeSource)) return asks;
  // A slider that moves is waited for.
  if (!sameCut(seen.cut?.choice, cut)) return now - cutAt >= REST ? asks : null;
  if (seen.step === step) return null;
  const rested =
    phase === 'running' ? now - endedAt >= Math.max(PACE.interval, PACE.cost * cost) : now - movedAt >= REST && now - endedAt >= REST;
  return rested ? asks : null;
}

/** Brings the open view up to date where that is due; call it often. */
export async function followModel(now: number = performance.now()): Promise<void> {
  const asks = due(getState(), now);
  if (asks) await ask(asks, false);
}

/** Looks again at once, at the weights as they are now. */
export async function refreshSee(): Promise<void> {
  const { seeBusy, seeTab } = getState();
  if (!seeBusy && canSee(getState())) await ask(seeTab === 'attention' ? 'inspect' : 'survey', true);
}

async function ask(what: 'survey' | 'inspect', fresh: boolean): Promise<void> {
  const state = getState();
  const { runId, seeSource } = state;
  const cut = seenCut(state);
  const from = performance.now();
  setState({ seeBusy: true, seeError: null });
  const args = { ...(cut && { cut }), fresh };
  try {
    if (what === 'survey') {
      const survey = await engine().send('survey', args);
      setState((s) => (s.runId === runId ? { survey } : {}));
    } else {
      const value = await engine().send('inspect', { source: sourceOf(state), ...args });
      setState((s) => (s.runId === runId ? { inspection: { source: seeSource, value } } : {}));
    }
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    // The run has ended meanwhile, or the page shows what happened as a fault.
    if (error.name !== 'AbortError' && !error.fault) setState((s) => (s.runId === runId ? { seeError: error.message } : {}));
  } finally {
    endedAt = performance.now();
    cost = endedAt - from;
    setState({ seeBusy: false });
  }
}

function sourceOf({ seeSource: source, running, loaded }: AppState): InspectSource {
  if (source.kind === 'picture') return { picture: source.blob, ...(source.invert !== undefined && { invert: source.invert }) };
  // Another data set may have fewer images.
  const count = running ? (loaded[running.dataset]?.testCount ?? Infinity) : Infinity;
  return { indices: [Math.max(0, Math.min(source.index, count - 1))] };
}

/** Test images of the run's data set, for thumbnails. @throws WorkerError */
export const testImages = (indices: readonly number[]): Promise<Pixels> => engine().send('testImages', { indices: [...indices] });
