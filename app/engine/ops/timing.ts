import { PEAK_WORKGROUP, fmaKernel } from '../../../kernels/peak/peak';
import type { Gpu } from '../gpu/device';
import { Recorder, type Program } from '../gpu/recorder';

/** Time below which the latency of a submit hides that of the work, and repetitions at most. */
const SHORTEST_MS = 3;
const MOST_REPEATS = 128;
const ROUNDS = 3;
/** The same in a race, which many enter, and how much slower than the best one may be to be measured twice. */
const RACE_MS = 1.5;
const RACE_REPEATS = 64;
const HOPELESS = 1.3;

/**
 * A graphics card that has had nothing to do for a while runs at a fraction of its clock, and for a while longer once it has: an H200 at a
 * fifth, for 0.4 s after a rest of 4 s, and not after one of 1.5 s.
 */
const REST_MS = 1000;
const WAKING_MS = 600;
/** Compilation for longer than this is waited for without it. */
const PATIENCE_MS = 4000;
/** Multiply-adds, half a thousand million; so many times in a submit that gaps between two do not let the clock sink. */
const CHORE = { tile: 4, groups: 1024, turns: 32, shortestMs: 3, repeats: 128 };
const busyUntil = new WeakMap<Gpu, number>();

/**
 * What comes of compiling, with the card at work until then, so that what is timed next finds it at the clock of a run; not at work
 * behind `end`, by performance.now(). `rests`: false on a software adapter, which has no such habit. Rejects as `building` does.
 */
export async function awake<T>(
  gpu: Gpu,
  building: Promise<T>,
  { end = Infinity, rests = !gpu.info.software }: { readonly end?: number; readonly rests?: boolean } = {},
): Promise<T> {
  if (!rests) return building;
  let settled = false;
  const done = building.finally(() => (settled = true));
  done.catch(() => undefined);
  const sums = gpu.buffers.allocate('tune.awake', CHORE.groups * PEAK_WORKGROUP * 4);
  const recorder = new Recorder(gpu, 'awake');
  const params = { turns: CHORE.turns, x: 0.999, y: 0.001 };
  recorder.dispatch(fmaKernel(CHORE.tile), { params, buffers: [sums], grid: [CHORE.groups, 1, 1] });
  let program: Program | undefined;
  try {
    program = await recorder.build();
    const from = performance.now();
    const rested = from - (busyUntil.get(gpu) ?? -Infinity) > REST_MS;
    const last = Math.min(end, from + PATIENCE_MS);
    const enough = (now: number): boolean => now > last || (settled && (!rested || now > from + WAKING_MS));
    for (let repeats = 1; !enough(performance.now());)
      if ((await millisecondsOf(gpu, program, repeats)) < CHORE.shortestMs && repeats < CHORE.repeats) repeats *= 2;
  } finally {
    program?.dispose();
    gpu.buffers.free(sums);
  }
  return done;
}

/** Milliseconds of so many executions in one submit, with its latency; above 0. */
async function millisecondsOf(gpu: Gpu, program: Program, repeats: number): Promise<number> {
  const encoder = gpu.device.createCommandEncoder({ label: program.label });
  for (let i = 0; i < repeats; i++) program.encode(encoder);
  const begun = performance.now();
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.idle();
  const ended = performance.now();
  busyUntil.set(gpu, ended);
  return Math.max(ended - begun, 0.01);
}

/** Shortest time of one execution, from batches long enough to measure. */
export async function secondsFor(gpu: Gpu, program: Program, rounds = ROUNDS): Promise<number> {
  // The first run warms up: drivers finish compiling in it.
  await millisecondsOf(gpu, program, 1);
  let repeats = 1;
  let ms = await millisecondsOf(gpu, program, 1);
  while (ms < SHORTEST_MS && repeats < MOST_REPEATS) ms = await millisecondsOf(gpu, program, (repeats *= 4));
  let best = ms;
  for (let i = 1; i < rounds; i++) best = Math.min(best, await millisecondsOf(gpu, program, repeats));
  return best / repeats / 1000;
}

/** Programs that do the same are timed as they come, each as often as the first; the fastest is kept. */
export class Race<Choice> {
  private repeats = 0;
  private shortest = Infinity;
  private first: Choice | undefined;

  constructor(private readonly gpu: Gpu) {}

  /** The choice of the fastest; undefined before one has run. */
  get best(): Choice | undefined {
    return this.first;
  }

  /** A few milliseconds, or a few executions where one takes longer. */
  async enter(choice: Choice, program: Program): Promise<void> {
    const run = (): Promise<number> => millisecondsOf(this.gpu, program, this.repeats);
    await millisecondsOf(this.gpu, program, 1);
    if (this.repeats === 0) for (this.repeats = 4; this.repeats < RACE_REPEATS && (await run()) < RACE_MS;) this.repeats *= 2;
    let ms = await run();
    if (ms < HOPELESS * this.shortest) ms = Math.min(ms, await run(), await run());
    if (ms < this.shortest) [this.shortest, this.first] = [ms, choice];
  }
}

/** What comes of the work, or undefined where that would be later than `end`, by performance.now(); the work goes on. */
export async function within<T>(work: Promise<T>, end: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), Math.max(0, end - performance.now()))));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Programs for a measurement that may end before they are compiled: `dispose` frees each, whenever it comes. */
export class Contestants {
  private readonly made: Program[] = [];
  private over = false;

  /** The program; undefined where the driver rejects it, which is then out of the race, or where the measurement has ended. */
  async add(building: Promise<Program>): Promise<Program | undefined> {
    const program = await building.catch(() => undefined);
    if (!program) return undefined;
    if (this.over) {
      program.dispose();
      return undefined;
    }
    this.made.push(program);
    return program;
  }

  dispose(): void {
    this.over = true;
    for (const program of this.made.splice(0)) program.dispose();
  }
}
