import { counterpart } from '../../protocol/compare';
import { differences, isLive, type Experiment } from '../../protocol/experiment';
import { CURVE_FRACTIONS } from '../../protocol/truncation';
import { allowed, guard } from '../actions';
import { defaultSelection } from '../events';
import { getState } from '../store';
import { createWorker } from '../workerClient';
import { abState, SIDES, useAb, type AbState, type Origins, type SideName } from './abStore';
import { Lockstep, type Walker } from './lockstep';
import { NOT_COMPARED, parting } from './parting';
import { Rig } from './rig';

const get = (): AbState => useAb.getState();
const set = (patch: Partial<AbState>): void => useAb.setState(patch);

/** Milliseconds between two looks of the page at what the workers told. */
const LOOK_MS = 80;

let rigs: Record<SideName, Rig> | null = null;
let lockstep: Lockstep | null = null;
let lookTimer: ReturnType<typeof setTimeout> | undefined;

function ensure(): { rigs: Record<SideName, Rig>; lockstep: Lockstep } {
  if (!rigs || !lockstep) {
    rigs = { a: new Rig(createWorker, lookSoon), b: new Rig(createWorker, lookSoon) };
    lockstep = new Lockstep(walker(rigs.a), walker(rigs.b), look);
  }
  return { rigs, lockstep };
}

const walker = (rig: Rig): Walker => ({
  get step() {
    return rig.state.step;
  },
  get total() {
    return rig.state.running?.train.steps ?? 0;
  },
  advance: (count) => rig.advance(count),
  watch: () => rig.watch(),
  halt: () => rig.halt(),
});

function lookSoon(): void {
  lookTimer ??= setTimeout(look, LOOK_MS);
}

/** Shows what the workers told so far. */
function look(): void {
  clearTimeout(lookTimer);
  lookTimer = undefined;
  if (!rigs || !lockstep) return;
  const { a, b } = rigs;
  const before = get();
  const found = parting(a.records.columns(), b.records.columns(), before.parting);
  const matrices = a.state.spectra?.matrices;
  set({
    ...Object.fromEntries(
      SIDES.map((name) => {
        const { state, evaluations, frames } = rigs![name];
        return [name, { ...before[name], state, evaluations, frames: frames.all() }];
      }),
    ),
    parting: found.compared === before.parting.compared && found.step === before.parting.step ? before.parting : found,
    msPerPair: Number.isFinite(lockstep.pace) ? lockstep.pace : null,
    ...(matrices && !matrices.some((m) => m.name === before.selected) && { selected: defaultSelection(matrices) }),
  });
}

/** Puts the run on screen and its counterpart into an untouched comparison. */
export function openAb(): void {
  const { a, b } = get();
  // What was chosen before the page was locked is no way around that.
  if (a.origin && allowed(a.experiment) && allowed(b.experiment)) return;
  if (a.origin) endAb();
  const { running, experiment, lockBase } = getState();
  const seen = running ?? experiment;
  const own = allowed(seen) ? seen : lockBase!;
  const origin = { name: own === running ? 'The run on screen' : 'The settings', experiment: own };
  const other = counterpart(own);
  useAb.setState(abState(own, allowed(other) ? other : own, [origin, origin]));
}

/** Steps that the further side has made. */
export const stepOf = ({ a, b }: Pick<AbState, 'a' | 'b'>): number => Math.max(a.state.step, b.state.step);
/** The same, as the workers told, whether the page has looked or not. */
const made = (): number => Math.max(rigs?.a.state.step ?? 0, rigs?.b.state.step ?? 0);
/** Something would be lost by starting over. */
const underWay = (): boolean => made() > 0 || get().phase === 'running' || get().phase === 'preparing';

/**
 * Changes the experiments. Live differences reach both runs between the same two steps and leave marks; any other asks first, where it would end the
 * comparison under way. @throws LockError, WorkerError
 */
export async function setExperiments(
  a: Experiment,
  b: Experiment,
  what: string,
  origins: Origins = [get().a.origin, get().b.origin],
): Promise<void> {
  guard(a);
  guard(b);
  const state = get();
  const changed = [...differences(state.a.experiment, a), ...differences(state.b.experiment, b)];
  if (underWay() && !changed.every(isLive)) {
    set({ ask: { a, b, what, origins } });
    return;
  }
  put(a, b, origins);
  if (underWay() && rigs && lockstep) await lockstep.between(applyExperiments);
}

const put = (a: Experiment, b: Experiment, origins: Origins): void =>
  useAb.setState((s) => ({
    a: { ...s.a, experiment: a, origin: origins[0] },
    b: { ...s.b, experiment: b, origin: origins[1] },
    ask: null,
  }));

/** Has both workers take over what the page shows, one after the other, so that data are fetched once. */
async function applyExperiments(): Promise<void> {
  const { rigs } = ensure();
  for (const name of SIDES) {
    const { experiment } = get()[name];
    const { running } = rigs[name].state;
    if (!running || differences(running, experiment).length > 0) await rigs[name].configure(experiment);
  }
}

/** "Start over": takes the change that was asked about, and waits at step 0. */
export async function startOver(): Promise<void> {
  const { ask } = get();
  if (!ask) return;
  await standStill();
  put(ask.a, ask.b, ask.origins);
  await resetAb();
}
export const keepGoing = (): void => set({ ask: null });

async function standStill(): Promise<void> {
  starts++;
  await lockstep?.pause();
}

/** Every start takes a number; a pause takes the next one, so that an older start knows it was called off. */
let starts = 0;

/** Begins or goes on, to the end or exactly `steps` steps; both from step 0 again where they have ended. Resolves when both stand. */
export async function playAb(steps?: number): Promise<void> {
  const { phase } = get();
  if (phase === 'running' || phase === 'preparing') return;
  const { a, b } = get();
  // A pair that waits since before the page was locked.
  guard(a.experiment);
  guard(b.experiment);
  const mine = ++starts;
  let walk: Lockstep | undefined;
  try {
    if (phase === 'failed' || (phase === 'finished' && steps === undefined)) await resetAb();
    walk = ensure().lockstep;
    set({ phase: 'preparing', problem: null, look: null });
    await applyExperiments();
    if (mine !== starts) return settle();
    // The first step brings everything: shaders, data, weights.
    const fresh = made() === 0;
    if (fresh) await walk.play(1);
    if (mine !== starts) return settle();
    set({ phase: 'running' });
    const more = (steps ?? Infinity) - (fresh ? 1 : 0);
    if (more > 0) await walk.play(more);
    settle();
    if (get().phase === 'finished' && get().a.experiment.train.evalEvery === 0) await measureAb();
  } catch (error) {
    // A pair that was given up has failed nobody.
    if (!walk || walk === lockstep) fail(error);
  }
}

function settle(): void {
  look();
  const { a, b } = get();
  const done = [a, b].every(({ state }) => state.step > 0 && state.step >= (state.running?.train.steps ?? Infinity));
  set({ phase: done ? 'finished' : made() > 0 ? 'paused' : 'setup' });
}

function fail(error: unknown): void {
  look();
  const broken = SIDES.find((name) => rigs?.[name].state.fault);
  const fault = broken && rigs?.[broken].state.fault;
  const text = error instanceof Error ? error.message : String(error);
  set({ phase: 'failed', problem: broken && fault ? `${broken.toUpperCase()} stopped. ${fault.message}` : text });
}

/** Stops both after the same step. */
export async function pauseAb(): Promise<void> {
  const { phase } = get();
  await standStill();
  if (phase === 'preparing') settle();
}

export const toggleAb = (): Promise<void> => (['running', 'preparing'].includes(get().phase) ? pauseAb() : playAb());

/** Both back to step 0, with the same weights as before. */
export async function resetAb(): Promise<void> {
  await standStill();
  if (!rigs || !lockstep) return;
  try {
    // A worker that crashed has nothing to go back to: it is made anew with the next start.
    const had = SIDES.filter((name) => rigs?.[name].state.running);
    await applyExperiments();
    const { a, b } = rigs;
    await Promise.all(had.map((name) => (name === 'a' ? a : b).reset()));
    lockstep.restart();
    set({ parting: NOT_COMPARED, problem: null, look: null, phase: 'setup', msPerPair: null });
    look();
  } catch (error) {
    fail(error);
  }
}

/** The truncation curves of both, of the weights after the same step. */
export async function measureAb(): Promise<void> {
  if (get().measuring || !rigs || !lockstep || made() === 0) return;
  set({ measuring: true });
  const { a, b } = rigs;
  const values = [...CURVE_FRACTIONS];
  try {
    await lockstep.between(() => Promise.all([a, b].map((rig) => rig.client.send('truncate', { values, by: 'fraction' }))));
  } catch (error) {
    if (rigs?.a === a) set({ problem: error instanceof Error ? error.message : String(error) });
  } finally {
    set({ measuring: false });
    look();
  }
}

/** Exact records of both sides, packed; of no use after the next step. */
export const abRows = (): Record<SideName, Float64Array> => ({
  a: rigs?.a.records.packed() ?? new Float64Array(),
  b: rigs?.b.records.packed() ?? new Float64Array(),
});

/** Gives both workers and their devices back; the experiments stay. */
export function endAb(): void {
  starts++;
  void lockstep?.pause();
  for (const name of SIDES) rigs?.[name].close();
  rigs = lockstep = null;
  clearTimeout(lookTimer);
  lookTimer = undefined;
  useAb.setState(({ a, b }) => abState(a.experiment, b.experiment, [a.origin, b.origin]));
}

export const lookAt = (step: number | null): void => set({ look: step });
export const keepShare = (share: number): void => set({ keep: Math.min(1, Math.max(0, share)) });
export const selectPair = (name: string): void => set({ selected: name });
export const hoverPair = (name: string | null): void => set({ hovered: name });
export const dismissProblem = (): void => set({ problem: null });
