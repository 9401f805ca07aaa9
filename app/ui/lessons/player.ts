import { create } from 'zustand';
import type { LessonName } from '../../protocol/lessons';
import type { Experiment } from '../../protocol/experiment';
import { configure, engine, pause, play, recall, remember, reset, show, showScreen } from '../../store/actions';
import { getState, useStore } from '../../store/store';
import { lambdaLesson } from './lambda';
import type { Bench, CutLine, Outcome, Picture, TrainedLesson } from './lesson';
import { truncateLesson } from './truncate';
import { wasteLesson } from './waste';

export type Phase = 'predict' | 'run' | 'reveal';
export type TrainedName = Exclude<LessonName, 'rank'>;
export const TRAINED: Readonly<Record<TrainedName, TrainedLesson>> = { waste: wasteLesson, lambda: lambdaLesson, truncate: truncateLesson };

/** One step as far as the visitor has come with it. */
export interface Played {
  readonly guess: number | null;
  readonly outcome: Outcome | null;
  readonly picture: Picture;
}
const NOTHING: Played = { guess: null, outcome: null, picture: { before: null, after: null, cuts: [] } };

interface PlayerState {
  lesson: TrainedName | null;
  step: number;
  phase: Phase;
  played: readonly Played[];
  /** Step whose run is going on, which is an earlier one while the lesson catches up; null when nothing runs. */
  running: number | null;
  /** Engine steps at which this step's run began. */
  from: number;
}
export const usePlayer = create<PlayerState>()(() => ({ lesson: null, step: 0, phase: 'predict', played: [], running: null, from: 0 }));
const get = usePlayer.getState;
const set = usePlayer.setState;

/** The form as it was before the first lesson; put back on leaving. */
let form: { experiment: Experiment; preset: string } | null = null;
/** Steps whose runs the engine has behind it, in `owner`'s run. */
let done = 0;
let owner = -1;
const memory = new Map<string, number>();
const lines = new Map<string, CutLine>();

const KEY = 'q3r.lessons';
type Progress = Partial<Record<LessonName, { step: number; done: boolean }>>;
/** How far the visitor has come in every lesson; kept by the browser. */
export function progress(): Progress {
  try {
    const value: unknown = JSON.parse(recall(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
export function keepProgress(lesson: LessonName, step: number, isDone = false): void {
  const all = progress();
  remember(KEY, JSON.stringify({ ...all, [lesson]: { step, done: isDone || all[lesson]?.done === true } }));
}

/** Opens a lesson where the visitor left it. */
export function begin(lesson: TrainedName): void {
  form ??= { experiment: getState().experiment, preset: getState().preset };
  if (get().lesson === lesson) {
    setUp(get().step);
    return;
  }
  const kept = progress()[lesson]?.step ?? 0;
  const { steps } = TRAINED[lesson];
  done = 0;
  memory.clear();
  lines.clear();
  const step = Math.min(steps.length - 1, Math.max(0, Number.isInteger(kept) ? kept : 0));
  set({ lesson, step, phase: 'predict', played: steps.map(() => NOTHING), running: null, from: 0 });
  setUp(step);
}

/** Back to the first step; guesses and runs are forgotten. */
export function startOver(): void {
  const { lesson } = get();
  if (!lesson) return;
  stop();
  keepProgress(lesson, 0);
  set({ lesson: null });
  begin(lesson);
}

/** Leaves the lesson for the page, or another screen, whose form is as it was. */
export function leave(to: 'main' | 'first' = 'main'): void {
  stop();
  set({ lesson: null });
  if (form) {
    if (getState().phase === 'running') void pause().catch(() => undefined);
    show(form.experiment, form.preset);
  }
  form = null;
  showScreen(to);
}

/** What the form shows for a step: the start, and all changes of the steps up to it. */
function experimentOf(lesson: TrainedName, step: number): Experiment {
  const { start, steps } = TRAINED[lesson];
  return steps.slice(0, step + 1).reduce((e, s) => s.setup?.(e) ?? e, start());
}
function setUp(step: number): void {
  const { lesson } = get();
  if (lesson) show(experimentOf(lesson, step), 'nano');
}

export function guess(index: number): void {
  const { step, phase } = get();
  if (phase === 'predict') patch(step, { guess: index });
}
function patch(step: number, change: Partial<Played>): void {
  set((s) => ({ played: s.played.map((p, i) => (i === step ? { ...p, ...change } : p)) }));
}

export function goTo(step: number): void {
  const { lesson, played, running } = get();
  if (!lesson || running !== null || step < 0 || step >= TRAINED[lesson].steps.length) return;
  set({ step, phase: played[step]?.outcome ? 'reveal' : 'predict' });
  keepProgress(lesson, step);
  setUp(step);
}
export function look(phase: Phase): void {
  const { step, played, running } = get();
  if (running !== null) return;
  if (phase === 'reveal' && !played[step]?.outcome) return;
  set({ phase });
}

let turn = 0;
/** Calls a run of a lesson off. */
export function stop(): void {
  turn++;
  done = 0;
  const { running } = get();
  if (running === null) return;
  set({ running: null, phase: 'predict' });
  if (getState().phase === 'running') void pause().catch(() => undefined);
}

class Stopped extends Error {
  override name = 'AbortError';
}

/** Runs this step, after those before it that the engine does not have behind it. @throws WorkerError, AbortError when called off */
export async function run(): Promise<void> {
  const { lesson, step, running } = get();
  if (!lesson || running !== null) return;
  const mine = ++turn;
  const { steps } = TRAINED[lesson];
  // What the visitor set for this step is not lost by catching up.
  const wanted = getState().experiment;
  set({ phase: 'run' });
  try {
    if (getState().runId !== owner) done = 0;
    if (done > step) done = 0;
    if (done === 0) {
      memory.clear();
      lines.clear();
    }
    for (let k = done; k <= step; k++) {
      show(k === step ? wanted : experimentOf(lesson, k), 'nano');
      set({ running: k, from: k === 0 ? 0 : getState().step });
      const outcome = await steps[k]!.run(benchFor(k, mine));
      if (mine !== turn) throw new Stopped('The lesson was left.');
      done = k + 1;
      owner = getState().runId;
      patch(k, { outcome });
    }
    set({ running: null, phase: 'reveal' });
    if (step === steps.length - 1) keepProgress(lesson, step, true);
  } catch (error) {
    if (mine === turn) set({ running: null, phase: 'predict' });
    done = 0;
    throw error;
  }
}

function benchFor(k: number, mine: number): Bench {
  const go = (): void => {
    if (mine !== turn) throw new Stopped('The lesson was left.');
  };
  return {
    memory,
    lines,
    async fresh(experiment = getState().experiment) {
      await configure(experiment);
      await reset();
      set({ from: 0 });
      go();
    },
    async train(count) {
      const target = getState().step + count;
      await play(count);
      await reached(target);
      go();
    },
    async spectra() {
      const all = await engine().send('spectra', {});
      go();
      return all.filter((m) => m.block >= 0);
    },
    async accuracy() {
      const { accuracy } = await engine().send('evaluate', {});
      go();
      return accuracy;
    },
    async cut(label, shares) {
      const { cuts, full } = await engine().send('truncate', { values: [...shares], by: 'fraction', count: 400 });
      go();
      return { label, full: full.accuracy, cuts: cuts.map(({ fraction, accuracy }) => ({ fraction, accuracy })) };
    },
    show(picture) {
      const { played } = get();
      patch(k, { picture: { ...(played[k] ?? NOTHING).picture, ...picture } });
    },
  };
}

/** Resolves when the run rests at that step. @throws Error where it stops before */
function reached(target: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): boolean => {
      const { phase, step, fault } = getState();
      if (fault) {
        reject(new Error(fault.message));
        return true;
      }
      if (phase === 'running' || phase === 'preparing' || getState().starting) return false;
      if (step >= target) resolve();
      else if (phase === 'failed') reject(new Error('The run failed.'));
      else if (phase === 'paused') reject(new Stopped('The run was paused.'));
      else return false;
      return true;
    };
    if (look()) return;
    const end = useStore.subscribe(() => {
      if (look()) end();
    });
  });
}
