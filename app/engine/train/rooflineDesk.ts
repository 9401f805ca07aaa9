import { ConfigError, type Experiment } from '../../protocol/experiment';
import type { CommandMap, PlanReport } from '../../protocol/messages';
import type { KernelFigures, RooflineReport, StepPart } from '../../protocol/roofline';
import { OutOfMemoryError } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { submitsFor, type Program } from '../gpu/recorder';
import { measurePeaks, peakSteps } from '../profile/peaks';
import { Profiler, type Group } from '../profile/profile';
import type { Spectral } from '../profile/spectralCosts';
import { Q3rRegularizer } from '../regularizers/q3r/regularizer';
import type { Datasets } from './datasets';
import type { Emit } from './events';
import { Run } from './run';
import type { Trainer } from './trainer';
import { deviceName, type Tuning } from './tuning';

/** Refreshes after which a sketch is what it is in the middle of a run, at most. */
const SETTLING = 5;
/** Timed steps: until so many seconds have passed, at least and at most so many. */
const ROUNDS = { least: 2, most: 400, seconds: 2.5 };
/** Shares of the progress: the device, the model, the steps. */
const PROGRESS = { peaks: 0.3, model: 0.6 };

/** What the desk needs of the session. */
interface Host {
  readonly emit: Emit;
  readonly datasets: Datasets;
  gpu(): Gpu;
  tuning(): Tuning;
  plan(experiment: Experiment): PlanReport;
  trainer(): Trainer | undefined;
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Measures what the device can do, and what each kernel of a training step makes of it. The steps are real ones of a run of its own,
 * which is freed; a run that goes on waits between two steps and is not touched.
 */
export class RooflineDesk {
  private cancelled = false;

  constructor(private readonly host: Host) {}

  /** @throws AbortError when it is cancelled, ConfigError when the device cannot hold the model, Error without room beside a run */
  measure({ experiment, seconds = ROUNDS.seconds }: CommandMap['roofline']['args']): Promise<RooflineReport> {
    const { host } = this;
    this.cancelled = false;
    this.tell('Waiting for the run', 0);
    return host.exclusive(async () => {
      this.check();
      const { refusal } = host.plan(experiment);
      if (refusal) throw new ConfigError('model', refusal.reason);
      const release = await host.trainer()?.hold();
      try {
        return await this.work(experiment, seconds);
      } catch (error) {
        if (error instanceof OutOfMemoryError)
          throw new Error('There is no room on the GPU for a second model beside the run. Measure before a run starts, or a smaller one.', {
            cause: error,
          });
        throw error;
      } finally {
        release?.();
      }
    });
  }

  /** Ends a measurement after the submit under way. */
  cancel(): void {
    this.cancelled = true;
  }

  private check(): void {
    if (this.cancelled) throw new DOMException('The measurement was cancelled.', 'AbortError');
  }

  private tell(stage: string, share: number): void {
    this.host.emit({ type: 'roofline', stage, share });
  }

  private async work(experiment: Experiment, seconds: number): Promise<RooflineReport> {
    const gpu = this.host.gpu();
    let done = 0;
    const all = peakSteps(gpu);
    const peaks = await measurePeaks(gpu, () => {
      this.check();
      this.tell('Measuring arithmetic and memory', (PROGRESS.peaks * done++) / all);
    });
    this.check();
    this.tell('Preparing a model of its own', PROGRESS.peaks);
    const { method } = experiment;
    // A refresh in every step, so that each timed step has one; its share of a step is taken below.
    const often: Experiment = { ...experiment, method: { ...method, reweightEvery: 1 } };
    const run = await Run.create(gpu, often, this.host.datasets.resolve(often), this.host.tuning());
    try {
      const gathered = await this.attach(run, experiment);
      const every = run.rank.regularizer ? method.reweightEvery : null;
      const figures = await this.steps(run, every, 1000 * seconds);
      const { info } = gpu;
      return {
        device: deviceName(info),
        software: info.software,
        date: new Date().toISOString(),
        experiment,
        peaks,
        refreshEvery: every,
        gathered,
        ...figures,
      };
    } finally {
      await run.dispose();
    }
  }

  /** Gives the run its data where they are at hand; nothing is fetched for a measurement. */
  private async attach(run: Run, { dataset }: Experiment): Promise<boolean> {
    const { datasets } = this.host;
    if (dataset !== 'shapes' && !datasets.held(dataset)) return false;
    await run.attach(await datasets.onGpu(run.gpu, dataset));
    await run.evaluable();
    return true;
  }

  private async steps(
    run: Run,
    every: number | null,
    budget: number,
  ): Promise<Pick<RooflineReport, 'kernels' | 'rounds' | 'clock' | 'stepMilliseconds'>> {
    const { gpu } = run;
    const profiler = new Profiler(gpu, () => this.check());
    try {
      let t = 0;
      for (let i = 0; i < SETTLING; i++) {
        this.check();
        this.tell('Settling the model', PROGRESS.peaks + ((PROGRESS.model - PROGRESS.peaks) * (i + 1)) / SETTLING);
        await whole(run, ++t);
        const kind = run.rank.q3r?.lastDecision?.kind;
        // A dense step is the same from the first on; once more, so that drivers have finished compiling.
        if (i > 0 && (kind === undefined || kind === 'sketch' || kind === 'exact')) break;
      }
      const pieces: { step: number; refresh: number }[] = [];
      let refresh: Group[] = [];
      let step: Group[] = [];
      const begun = performance.now();
      let rounds = 0;
      for (; rounds < ROUNDS.most; rounds++) {
        const spent = performance.now() - begun;
        if (rounds >= ROUNDS.least && spent > budget) break;
        const share = Math.max(spent / budget, rounds / ROUNDS.most);
        this.tell('Timing the kernels of a step', PROGRESS.model + (1 - PROGRESS.model) * Math.min(1, share));
        const programs = await run.programsOf(++t);
        const sketches = run.rank.q3r?.lastDecision?.sketches;
        let spectral: Promise<Spectral | undefined> | undefined;
        const asked = (): Promise<Spectral | undefined> => (spectral ??= run.settle().then(() => spectralOf(run, sketches)));
        for (const program of programs.refresh) await profiler.run(program, asked);
        refresh = merge(refresh, profiler.take());
        for (const program of programs.step) await profiler.run(program, asked);
        step = merge(step, profiler.take());
        await asked();
        if (rounds < 3) pieces.push(await whole(run, ++t));
      }
      const shareOfRefresh = every === null ? 0 : 1 / every;
      return {
        clock: profiler.clock,
        rounds,
        stepMilliseconds: Math.min(...pieces.map((p) => p.step)) + shareOfRefresh * Math.min(...pieces.map((p) => p.refresh)),
        kernels: [
          ...step.map((g) => figuresOf(partOf(g), g, rounds, 1)),
          ...refresh.map((g) => figuresOf('svd', g, rounds, shareOfRefresh)),
        ],
      };
    } finally {
      profiler.dispose();
    }
  }
}

/** A step as a run makes it: wall-clock milliseconds of its refresh, and of the rest. */
async function whole(run: Run, t: number): Promise<{ step: number; refresh: number }> {
  const { gpu } = run;
  const { refresh, step } = await run.programsOf(t);
  const timed = async (programs: readonly Program[]): Promise<number> => {
    await gpu.idle();
    const begun = performance.now();
    for (const program of programs) program.run(submitsFor(gpu, program));
    await gpu.idle();
    return performance.now() - begun;
  };
  const times = { refresh: await timed(refresh), step: await timed(step) };
  await run.settle();
  return times;
}

/** The matrices of the last refresh, as it was decided and as it went. */
function spectralOf({ rank }: Run, sketches: readonly number[] | undefined): Spectral | undefined {
  const { regularizer, status } = rank;
  if (!regularizer || !status) return undefined;
  return regularizer.matrices.map(({ rows, cols, targetRank }, i) => {
    const k = Math.min(rows, cols);
    const s = status[i]!;
    const acted = !(regularizer instanceof Q3rRegularizer) || targetRank < k;
    const sketch = acted ? Math.min(k, sketches?.[i] ?? k) : 0;
    return { rows, cols, sketch, columns: acted ? Math.max(sketch, s.sketch) : 0, envelope: acted ? s.envelope : 0, sweeps: s.sweeps };
  });
}

const partOf = ({ phase }: Group): StepPart => (phase === 'other' ? 'optimizer' : phase);

const figuresOf = (part: StepPart, g: Group, rounds: number, share: number): KernelFigures => ({
  part,
  name: g.name,
  kernel: g.kernel,
  dispatches: g.dispatches / rounds,
  milliseconds: (share * g.milliseconds) / rounds,
  flops: (share * g.flops) / rounds,
  bytes: (share * g.bytes) / rounds,
  counted: g.counted,
});

function merge(into: Group[], more: readonly Group[]): Group[] {
  const same = (a: Group, b: Group): boolean => a.phase === b.phase && a.name === b.name && a.kernel === b.kernel;
  for (const group of more) {
    const found = into.find((other) => same(other, group));
    if (!found) into.push(group);
    else {
      found.dispatches += group.dispatches;
      found.milliseconds += group.milliseconds;
      found.flops += group.flops;
      found.bytes += group.bytes;
      found.counted &&= group.counted;
    }
  }
  return into;
}
