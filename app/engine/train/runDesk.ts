import { ConfigError, type Experiment } from '../../protocol/experiment';
import type { PlanReport } from '../../protocol/messages';
import { DATASET_CONFIGS } from '../data/config';
import { OutOfMemoryError } from '../gpu/buffers';
import type { CheckpointDesk } from './checkpointDesk';
import type { Datasets } from './datasets';
import type { DeviceDesk } from './deviceDesk';
import type { Emit } from './events';
import { planExperiment } from './plan';
import type { Preparation } from './preparation';
import { Run } from './run';
import type { Snapshot } from './snapshot';
import type { SpareRun } from './spareRun';
import { Trainer } from './trainer';
import { deviceName } from './tuning';

/** What the run of a session is made of. */
export interface RunHost {
  readonly emit: Emit;
  readonly device: DeviceDesk;
  readonly datasets: Datasets;
  readonly preparation: Preparation;
  readonly spare: SpareRun;
  checkpoints(): CheckpointDesk;
}

/** The one run of a session: made when it is first asked for, replaced by another, moved to another device, ended. */
export class RunDesk {
  /** What the next run is made of, and the current one was. */
  experiment: Experiment | undefined;
  trainer: Trainer | undefined;
  /** Runs are kept in the browser's storage. */
  keep = true;
  /** Of the curves, in [0, 1). */
  smoothing = 0.9;
  private runs = 0;
  /** Measured milliseconds per step of the last run, for estimates of the same model. */
  private measured: { key: string; msPerStep: number } | undefined;

  constructor(private readonly host: RunHost) {}

  /** What an experiment needs and takes on this device. */
  plan(experiment: Experiment): PlanReport {
    const tuning = this.host.device.tuning;
    const plan = planExperiment(experiment, {
      info: this.host.device.required.info,
      gflops: tuning.gflops,
      counts: this.host.datasets.counts(experiment.dataset),
    });
    if (this.measured?.key !== costKey(experiment)) return plan;
    return { ...plan, secondsPerEpoch: (this.measured.msPerStep / 1000) * plan.stepsPerEpoch };
  }

  private requireExperiment(): Experiment {
    if (!this.experiment) throw new ConfigError('experiment', 'No experiment has been configured yet.');
    return this.experiment;
  }

  /** From here until the run is there, compilations are shown. */
  announce(): void {
    const { gpu } = this.host.device;
    if (gpu) this.host.preparation.begin(deviceName(gpu.info));
  }

  /** Ends the run and frees what it has on the GPU; does nothing where there is none. */
  async endRun(): Promise<void> {
    const { trainer } = this;
    if (!trainer) return;
    const timing = trainer.timing();
    if (timing && this.experiment) this.measured = { key: costKey(this.experiment), msPerStep: timing.msPerStep };
    this.trainer = undefined;
    await trainer.pause();
    await this.host.checkpoints().detach(trainer);
    await trainer.dispose();
  }

  /** Makes a run, has it filled, and only then puts it in the place of the current one. */
  async replaceRun(experiment: Experiment, fill: (run: Run) => Promise<void>): Promise<Trainer> {
    const { refusal } = this.plan(experiment);
    if (refusal) throw new ConfigError('model', refusal.reason);
    await this.host.spare.drop();
    const make = async (): Promise<Run> => {
      const run = await Run.create(this.host.device.required, experiment, this.host.datasets.resolve(experiment), this.host.device.tuning);
      try {
        await fill(run);
        return run;
      } catch (error) {
        await run.dispose();
        throw error;
      }
    };
    const run = await make().catch((error: unknown) => this.makeRoomFor(make, error));
    await this.endRun();
    this.experiment = experiment;
    const runId = ++this.runs;
    this.host.emit({ type: 'experiment', runId, experiment });
    return this.adopt(run, runId);
  }

  /** Tries again where two runs do not fit on the GPU: the current one waits in the worker's memory, and comes back if that fails. */
  private async makeRoomFor(make: () => Promise<Run>, error: unknown): Promise<Run> {
    const { trainer } = this;
    if (!trainer || !(error instanceof OutOfMemoryError)) throw error;
    await trainer.pause();
    await trainer.keepNow();
    const snapshot = trainer.snapshots.last;
    await trainer.dispose();
    try {
      return await make();
    } catch (again) {
      await this.rebuild(trainer, snapshot);
      throw again;
    }
  }

  /** The run of a trainer that has lost its place on the GPU, from its snapshot or from step 0. */
  async rebuild(before: Trainer, snapshot: Snapshot | undefined): Promise<Trainer> {
    const { experiment } = before;
    const run = await Run.create(this.host.device.required, experiment, this.host.datasets.resolve(experiment), this.host.device.tuning);
    await this.host.checkpoints().begin(run);
    const next = new Trainer(run, before.runId, this.host.emit);
    next.smoothing = this.smoothing;
    next.inherit(before);
    this.trainer = next;
    if (before.run.canEvaluate) await run.attach(await this.host.datasets.onGpu(run.gpu, experiment.dataset));
    if (snapshot) next.restore(snapshot, before.history);
    return next;
  }

  /** The trainer of a run from here on. */
  private adopt(run: Run, runId: number): Trainer {
    const trainer = new Trainer(run, runId, this.host.emit);
    trainer.smoothing = this.smoothing;
    if (this.keep) this.host.checkpoints().attach(trainer);
    this.trainer = trainer;
    return trainer;
  }

  /** The current run; made when there is none. With `data`, its data set is on the GPU. */
  async ensureTrainer(data: boolean): Promise<Trainer> {
    try {
      return await this.prepareTrainer(data);
    } catch (error) {
      // Nothing is under way any more; what went wrong is told by whoever asked.
      if (this.trainer && !this.trainer.landed) await this.endRun();
      if (!this.trainer) this.emitIdle();
      throw error;
    } finally {
      this.host.preparation.end();
    }
  }

  /** Says that there is no run. */
  emitIdle(): void {
    const totalSteps = this.experiment?.train.steps ?? 0;
    const buffers = this.host.device.gpu?.buffers;
    const liveBytes = buffers ? buffers.liveBytes - buffers.stagingBytes : 0;
    this.host.emit({ type: 'state', runId: this.runs, phase: 'idle', step: 0, totalSteps, elapsedMs: 0, liveBytes });
  }

  private async prepareTrainer(data: boolean): Promise<Trainer> {
    const gpu = this.host.device.required;
    const experiment = this.requireExperiment();
    const { refusal } = this.plan(experiment);
    if (refusal) throw new ConfigError('model', refusal.reason);
    let { trainer } = this;
    const fresh = !trainer;
    // Drawn or fetched while the drivers compile.
    const loading = data && !trainer?.run.canEvaluate ? this.host.datasets.onGpu(gpu, experiment.dataset) : undefined;
    loading?.catch(() => undefined);
    if (!trainer) {
      const runId = ++this.runs;
      this.host.emit({
        type: 'state',
        runId,
        phase: 'preparing',
        step: 0,
        totalSteps: experiment.train.steps,
        elapsedMs: 0,
        liveBytes: gpu.buffers.liveBytes - gpu.buffers.stagingBytes,
      });
      this.host.emit({ type: 'experiment', runId, experiment });
      this.announce();
      const run =
        (await this.host.spare.take(experiment)) ??
        (await Run.create(gpu, experiment, this.host.datasets.resolve(experiment), this.host.device.tuning));
      await this.host.checkpoints().begin(run);
      trainer = this.adopt(run, runId);
    }
    if (loading && !trainer.run.canEvaluate) {
      this.host.datasets.check(experiment);
      const { label, synthetic } = DATASET_CONFIGS[experiment.dataset];
      const images = await loading;
      if (!this.host.datasets.fits(experiment, trainer.run.config)) {
        // Other images arrived meanwhile, with other classes or of another size.
        await this.endRun();
        return this.prepareTrainer(data);
      }
      this.host.preparation.done(synthetic ? `${label} drawn` : `${label} on the GPU`, `${images.train.count + images.test.count} images`);
      await trainer.run.attach(images);
    }
    if (fresh) trainer.emitState();
    return trainer;
  }
}

/** What the time of a step depends on. */
const costKey = ({ model, train, method }: Experiment): string =>
  JSON.stringify([
    model,
    train.batchSize,
    train.accumulate,
    train.recompute,
    train.precision,
    [method.name, method.reweightEvery, method.svd, method.targetRank, method.targetModules],
    [method.loraRank, method.loritaDepth, method.overrides],
  ]);
