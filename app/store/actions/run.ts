import { differences, isLive, type Experiment } from '../../protocol/experiment';
import { NO_LOCKS, type Locks } from '../../protocol/locks';
import type { StepRecord } from '../../protocol/messages';
import { newRun } from '../events';
import { getState, setState } from '../store';
import { loadDataset } from './data';
import { engine } from './engine';
import { flushLive, show } from './form';
import { leaveReplay, NotReadyError, requireLive } from './leaveReplay';
import { lockPage, requireSameLocks } from './locks';
import { toggleScrub } from './timeline';
import { remember } from './view';

export { NotReadyError };

/** Why Play cannot be pressed; undefined when it can. */
export const blockedBecause = (): string | undefined =>
  getState().replay ? 'This is a recording. Run it here trains the same experiment.' : blockedHere();

/** Why the shown experiment cannot be trained on this page; undefined when it can. */
export function blockedHere(): string | undefined {
  const { device, plan, planError, fault, recovering, phase } = getState();
  // Started anew now, it would begin from step 0.
  if (recovering && phase === 'failed') return 'The GPU was lost; the run comes back by itself.';
  if (!device) return fault ? fault.message : 'The graphics device is still being measured.';
  if (planError) return planError.message;
  return plan?.refusal?.reason;
}

function requireReady(): void {
  const reason = blockedBecause();
  if (reason !== undefined) throw new NotReadyError(reason);
}

/** Every start takes a number; Cancel takes the next one, so that the older start knows it was called off. */
let startNumber = 0;

/**
 * Makes the shown experiment current in the worker, if it is not: live differences reach the run, any other ends it.
 * Data that must be fetched are fetched first, so that a failing download leaves the run alone. @throws WorkerError
 */
export async function prepare(): Promise<void> {
  requireLive();
  const { experiment, loaded } = getState();
  if (experiment.dataset !== 'shapes' && !loaded[experiment.dataset]) await loadDataset(experiment.dataset);
  await makeCurrent(experiment);
}

async function makeCurrent(experiment: Experiment): Promise<void> {
  const { running } = getState();
  const changed = running ? differences(running, experiment) : [];
  if (running && changed.length === 0) return;
  const plan = await engine().send('configure', { experiment });
  setState((s) => ({ ...(changed.every(isLive) ? {} : newRun(s, s.runId)), plan, running: experiment }));
}

/** Starts, or goes on after a pause; a finished run starts anew. Exactly `steps` steps where given. @throws NotReadyError, WorkerError */
export async function play(steps?: number): Promise<void> {
  if (getState().starting || getState().phase === 'running') return;
  requireReady();
  const mine = ++startNumber;
  setState({ starting: true, fault: null, tab: 'watch' });
  remember('q3r.visited', '1');
  try {
    await prepare();
    if (mine !== startNumber) return;
    const { phase } = getState();
    if ((phase === 'finished' && steps === undefined) || phase === 'failed') await engine().send('reset', {});
    if (mine !== startNumber) return;
    await engine().send('start', steps === undefined ? {} : { steps });
    if (mine === startNumber) toRun();
  } finally {
    if (mine === startNumber) setState((s) => ({ starting: false, phase: s.phase === 'preparing' ? 'idle' : s.phase }));
  }
}

/** A run that was begun on the first page is watched on the main one; a lesson shows its own. */
const toRun = (): void => setState((s) => (s.screen === 'first' ? { screen: 'main' } : {}));

/** Trains exactly `steps` steps, then pauses. */
export const runN = (steps: number): Promise<void> => play(steps);

/** Calls a start off that has not reached its first step. */
export async function cancelStart(): Promise<void> {
  startNumber++;
  setState({ starting: false, stages: [] });
  if (getState().dataProgress) await engine().send('cancelLoad', {});
  if (getState().running) await engine().send('pause', {});
}

export async function pause(): Promise<void> {
  await engine().send('pause', {});
}

/** Space: whatever the big button says. */
export async function togglePlay(): Promise<void> {
  if (getState().replay) toggleScrub();
  else if (getState().starting) await cancelStart();
  else if (getState().phase === 'running') await pause();
  else await play();
}

/** Exactly `count` steps from a paused run, and their records. @throws NotReadyError, WorkerError */
export async function stepOnce(count = 1): Promise<StepRecord[]> {
  if (getState().phase === 'running') await pause();
  requireReady();
  const first = getState().step === 0;
  if (first) setState({ starting: true, fault: null, tab: 'watch' });
  try {
    await prepare();
    toRun();
    return await engine().send('step', { count });
  } finally {
    if (first) setState({ starting: false });
  }
}

/** Back to step 0 with the same initial weights. */
export async function reset(): Promise<void> {
  requireLive();
  const { running, experiment } = getState();
  if (!running) return;
  setState({ fault: null });
  if (getState().phase === 'running') await pause();
  if (differences(running, experiment).length > 0) await prepare();
  await engine().send('reset', {});
}

/** Back to step 0 with other initial weights and another data order. */
export async function newSeed(seed: number = 1 + Math.floor(Math.random() * 9998)): Promise<void> {
  requireLive();
  const { experiment, running } = getState();
  const next = { ...experiment, train: { ...experiment.train, seed } };
  show(next);
  if (!running) return;
  setState({ fault: null });
  if (getState().phase === 'running') await pause();
  await prepare();
  await engine().send('reset', {});
}

/** "Start new run": takes the change that was asked about. A running run is followed by a running one, a paused one waits at step 0. */
export async function startNewRun(): Promise<void> {
  const { ask, phase, starting } = getState();
  if (!ask) return;
  const goOn = phase === 'running' || starting;
  if (phase === 'running') await pause();
  show(ask.next, ask.preset);
  if (goOn) return play();
  await prepare();
  await engine().send('reset', {});
}

/** Back to the last good snapshot with another learning rate, and on from there. */
export async function rollback(lr: number): Promise<void> {
  await engine().send('rollback', { lr });
  const { experiment, running } = getState();
  const withRate = { ...experiment, train: { ...experiment.train, lr } };
  setState({
    fault: null,
    experiment: withRate,
    running: running && { ...running, train: { ...running.train, lr } },
    starting: false,
  });
  await engine().send('start', {});
}

/** Shows an experiment and makes it current without asking, for scripts; the locks of its link hold from then on. @throws LockError, WorkerError */
export async function configure(next: Experiment, locks: Locks = NO_LOCKS): Promise<void> {
  requireSameLocks(locks);
  leaveReplay();
  show(next);
  if (!getState().lockBase) lockPage(locks, next);
  await flushLive();
  await makeCurrent(next);
}
