import { ConfigError, differences, isLive, valueAt, type Experiment } from '../../protocol/experiment';
import type { CommandMap, DeviceReport, Fault, MatrixSpectrum, PlanReport, StepRecord } from '../../protocol/messages';
import { DATASET_CONFIGS } from '../data/config';
import { OutOfMemoryError } from '../gpu/buffers';
import { DeviceLostError } from '../gpu/device';
import { CheckpointDesk } from './checkpointDesk';
import { DataDesk } from './dataDesk';
import { Datasets } from './datasets';
import { DeviceDesk } from './deviceDesk';
import { faultOf, type Emit } from './events';
import { InspectDesk } from './inspectDesk';
import { LinalgDesk } from './linalgDesk';
import { overrideMarks } from './matrices';
import { planExperiment } from './plan';
import { Preparation } from './preparation';
import { provoke } from './provoke';
import { RooflineDesk } from './rooflineDesk';
import { Run } from './run';
import type { Snapshot } from './snapshot';
import { SpareRun } from './spareRun';
import { Trainer } from './trainer';
import { deviceName } from './tuning';
import { WeightsDesk } from './weightsDesk';

type Reply<K extends keyof CommandMap> = Promise<CommandMap[K]['reply']>;

/**
 * Everything the page can ask of the engine. Commands that touch the run are carried out one after the other; a pause is heard
 * at once. Survives the loss of its device: opens a new one and continues from the last snapshot.
 */
export class Session {
  private experiment: Experiment | undefined;
  private trainer: Trainer | undefined;
  private runs = 0;
  private smoothing = 0.9;
  private chain: Promise<unknown> = Promise.resolve();
  /** Increases with every pause; a start that began before it does not begin to train. */
  private pauses = 0;
  private baseUrl = '';
  private keep = true;
  private readonly datasets: Datasets;
  private readonly preparation: Preparation;
  private readonly device: DeviceDesk;
  private readonly spare: SpareRun;
  readonly data: DataDesk;
  readonly linalg: LinalgDesk;
  /** Weights in and out, and batches given by hand. */
  readonly weights: WeightsDesk;
  /** Looks at what the model says of images. */
  readonly inspection: InspectDesk;
  /** Measures the device and the kernels of a step. */
  readonly roofline: RooflineDesk;
  /** Saves, stores and loads runs. */
  readonly checkpoints: CheckpointDesk;
  /** Measured seconds per step of the last run, for estimates of the same model. */
  private measured: { key: string; msPerStep: number } | undefined;

  constructor(private readonly emit: Emit) {
    this.datasets = new Datasets(emit, () => this.baseUrl);
    this.preparation = new Preparation(emit);
    this.spare = new SpareRun(this.datasets);
    this.device = new DeviceDesk(emit, this.preparation, (reason) => void this.exclusive(() => this.recover(reason)));
    this.linalg = new LinalgDesk(
      () => this.device.required,
      () => this.device.tuning,
    );
    this.weights = new WeightsDesk({
      emit,
      exclusive: (work) => this.exclusive(work),
      ensureTrainer: (data) => this.ensureTrainer(data),
      endRun: () => this.endRun(),
    });
    this.data = new DataDesk({
      datasets: this.datasets,
      spare: this.spare,
      gpu: () => this.device.required,
      run: () => this.trainer?.run,
      endRun: () => this.endRun(),
      exclusive: (work) => this.exclusive(work),
    });
    this.inspection = new InspectDesk({
      datasets: this.datasets,
      exclusive: (work) => this.exclusive(work),
      ensureTrainer: (data) => this.ensureTrainer(data),
    });
    this.roofline = new RooflineDesk({
      emit,
      datasets: this.datasets,
      gpu: () => this.device.required,
      tuning: () => this.device.tuning,
      plan: (experiment) => this.plan(experiment),
      trainer: () => this.trainer,
      exclusive: (work) => this.exclusive(work),
    });
    this.checkpoints = new CheckpointDesk({
      emit,
      datasets: this.datasets,
      gpu: () => this.device.required,
      tuning: () => this.device.tuning,
      trainer: () => this.trainer,
      exclusive: (work) => this.exclusive(work),
      ensureTrainer: () => this.ensureTrainer(false),
      replaceRun: (experiment, fill) => this.replaceRun(experiment, fill),
    });
  }

  /** Runs `work` after all earlier exclusive commands. */
  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.chain.then(work);
    this.chain = result.catch(() => undefined);
    return result;
  }

  private requireExperiment(): Experiment {
    if (!this.experiment) throw new ConfigError('experiment', 'No experiment has been configured yet.');
    return this.experiment;
  }

  /** Opens and measures the device; `keep` says whether runs are kept in the browser's storage. @throws GpuUnavailableError */
  async init(baseUrl: string, keep = true): Promise<DeviceReport> {
    this.baseUrl = baseUrl;
    this.keep = keep;
    const [report] = await Promise.all([this.device.init(), this.datasets.recall()]);
    return report;
  }

  /** From here until the run is there, compilations are shown. */
  private announce(): void {
    const { gpu } = this.device;
    if (gpu) this.preparation.begin(deviceName(gpu.info));
  }

  plan(experiment: Experiment): PlanReport {
    const tuning = this.device.tuning;
    const plan = planExperiment(experiment, {
      info: this.device.required.info,
      gflops: tuning.gflops,
      counts: this.datasets.counts(experiment.dataset),
    });
    if (this.measured?.key !== costKey(experiment)) return plan;
    return { ...plan, secondsPerEpoch: (this.measured.msPerStep / 1000) * plan.stepsPerEpoch };
  }

  /** Takes over an experiment: live fields at once, any other by ending the run. */
  configure(experiment: Experiment): Reply<'configure'> {
    // A start that follows will wait for the compilation ahead: it is shown from here on.
    if (this.spare.warming) this.announce();
    return this.exclusive(async () => {
      const plan = this.plan(experiment);
      const { trainer, experiment: before } = this;
      if (trainer && before) {
        const changed = differences(before, experiment);
        if (changed.every(isLive) && trainer.phase !== 'failed') {
          trainer.run.setLive(experiment);
          if (trainer.step > 0)
            for (const mark of overrideMarks(trainer.step, withRank(before, experiment), experiment, trainer.run.config))
              trainer.mark(mark);
          for (const field of changed) {
            const [from, to] = [valueAt(before, field), valueAt(experiment, field)];
            if (trainer.step > 0 && typeof from === 'number' && typeof to === 'number')
              trainer.mark({ step: trainer.step, field, from, to });
          }
        } else if (changed.length > 0) await this.endRun();
      }
      this.experiment = experiment;
      if (this.trainer) this.emit({ type: 'experiment', runId: this.trainer.runId, experiment });
      return plan;
    });
  }

  /** Makes the run of the next start ahead, see `SpareRun`. Silent. */
  warm(experiment: Experiment): Promise<void> {
    return this.exclusive(async () => {
      if (this.trainer || this.plan(experiment).refusal) return;
      await this.spare.make(experiment, this.device.required, this.device.tuning);
    });
  }

  private async endRun(): Promise<void> {
    const { trainer } = this;
    if (!trainer) return;
    const timing = trainer.timing();
    if (timing && this.experiment) this.measured = { key: costKey(this.experiment), msPerStep: timing.msPerStep };
    this.trainer = undefined;
    await trainer.pause();
    await this.checkpoints.detach(trainer);
    await trainer.dispose();
  }

  /** Makes a run, has it filled, and only then puts it in the place of the current one. */
  private async replaceRun(experiment: Experiment, fill: (run: Run) => Promise<void>): Promise<Trainer> {
    const { refusal } = this.plan(experiment);
    if (refusal) throw new ConfigError('model', refusal.reason);
    await this.spare.drop();
    const make = async (): Promise<Run> => {
      const run = await Run.create(this.device.required, experiment, this.datasets.resolve(experiment), this.device.tuning);
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
    this.emit({ type: 'experiment', runId, experiment });
    return this.adopt(run, runId);
  }

  /** Tries again where two runs do not fit on the GPU: the current one waits in the worker's memory, and comes back if that fails. */
  private async makeRoomFor(make: () => Promise<Run>, error: unknown): Promise<Run> {
    const { trainer } = this;
    if (!trainer || !(error instanceof OutOfMemoryError)) throw error;
    await trainer.pause();
    await trainer.keepNow();
    const snapshot = trainer.lastSnapshot;
    await trainer.dispose();
    try {
      return await make();
    } catch (again) {
      await this.rebuild(trainer, snapshot);
      throw again;
    }
  }

  /** The run of a trainer that has lost its place on the GPU, from its snapshot or from step 0. */
  private async rebuild(before: Trainer, snapshot: Snapshot | undefined): Promise<Trainer> {
    const { experiment } = before;
    const run = await Run.create(this.device.required, experiment, this.datasets.resolve(experiment), this.device.tuning);
    await this.checkpoints.begin(run);
    const next = new Trainer(run, before.runId, this.emit);
    next.smoothing = this.smoothing;
    next.inherit(before);
    this.trainer = next;
    if (before.run.canEvaluate) await run.attach(await this.datasets.onGpu(run.gpu, experiment.dataset));
    if (snapshot) next.restore(snapshot, before.history);
    return next;
  }

  /** The trainer of a run from here on. */
  private adopt(run: Run, runId: number): Trainer {
    const trainer = new Trainer(run, runId, this.emit);
    trainer.smoothing = this.smoothing;
    if (this.keep) this.checkpoints.attach(trainer);
    this.trainer = trainer;
    return trainer;
  }

  /** The current run; made when there is none. With `data`, its data set is on the GPU. */
  private async ensureTrainer(data: boolean): Promise<Trainer> {
    try {
      return await this.prepareTrainer(data);
    } catch (error) {
      // Nothing is under way any more; what went wrong is told by whoever asked.
      if (this.trainer && !this.trainer.landed) await this.endRun();
      if (!this.trainer) this.emitIdle();
      throw error;
    } finally {
      this.preparation.end();
    }
  }

  private emitIdle(): void {
    const totalSteps = this.experiment?.train.steps ?? 0;
    const { liveBytes, stagingBytes } = this.memory();
    this.emit({ type: 'state', runId: this.runs, phase: 'idle', step: 0, totalSteps, elapsedMs: 0, liveBytes: liveBytes - stagingBytes });
  }

  private async prepareTrainer(data: boolean): Promise<Trainer> {
    const gpu = this.device.required;
    const experiment = this.requireExperiment();
    const { refusal } = this.plan(experiment);
    if (refusal) throw new ConfigError('model', refusal.reason);
    let { trainer } = this;
    const fresh = !trainer;
    // Drawn or fetched while the drivers compile.
    const loading = data && !trainer?.run.canEvaluate ? this.datasets.onGpu(gpu, experiment.dataset) : undefined;
    loading?.catch(() => undefined);
    if (!trainer) {
      const runId = ++this.runs;
      this.emit({
        type: 'state',
        runId,
        phase: 'preparing',
        step: 0,
        totalSteps: experiment.train.steps,
        elapsedMs: 0,
        liveBytes: gpu.buffers.liveBytes - gpu.buffers.stagingBytes,
      });
      this.emit({ type: 'experiment', runId, experiment });
      this.announce();
      const run =
        (await this.spare.take(experiment)) ?? (await Run.create(gpu, experiment, this.datasets.resolve(experiment), this.device.tuning));
      await this.checkpoints.begin(run);
      trainer = this.adopt(run, runId);
    }
    if (loading && !trainer.run.canEvaluate) {
      this.datasets.check(experiment);
      const { label, synthetic } = DATASET_CONFIGS[experiment.dataset];
      const images = await loading;
      if (!this.datasets.fits(experiment, trainer.run.config)) {
        // Other images arrived meanwhile, with other classes or of another size.
        await this.endRun();
        return this.prepareTrainer(data);
      }
      this.preparation.done(synthetic ? `${label} drawn` : `${label} on the GPU`, `${images.train.count + images.test.count} images`);
      await trainer.run.attach(images);
    }
    if (fresh) trainer.emitState();
    return trainer;
  }

  start(steps?: number): Reply<'start'> {
    const { pauses } = this;
    if (!this.trainer) this.announce();
    return this.exclusive(async () => {
      const trainer = await this.ensureTrainer(true);
      if (pauses !== this.pauses) return;
      trainer.start(steps);
    });
  }

  pause(): Reply<'pause'> {
    this.pauses++;
    const stopped = this.trainer?.pause();
    return this.exclusive(async () => {
      await stopped;
      await this.trainer?.pause();
    });
  }

  step(count: number, turn = false): Promise<StepRecord[]> {
    return this.exclusive(async () => (await this.ensureTrainer(true)).steps(count, turn));
  }

  /** Back to step 0 with the same initial weights, or with those of another seed. */
  reset(seed?: number): Reply<'reset'> {
    this.pauses++;
    const stopped = this.trainer?.pause();
    return this.exclusive(async () => {
      await stopped;
      await this.endRun();
      if (seed !== undefined && this.experiment) this.experiment = { ...this.experiment, train: { ...this.experiment.train, seed } };
      await this.ensureTrainer(false);
      await this.trainer?.watchSpectra();
    });
  }

  history(): StepRecord[] {
    return this.trainer?.records() ?? [];
  }

  evaluate(): Reply<'evaluate'> {
    return this.exclusive(async () => {
      const trainer = await this.ensureTrainer(true);
      await trainer.settled();
      return trainer.run.evaluate(trainer.experiment.train.evalCount);
    });
  }

  spectra(): Promise<MatrixSpectrum[]> {
    return this.exclusive(async () => (await this.ensureTrainer(false)).watchSpectra());
  }

  /** Back to the last good snapshot, with another peak learning rate. */
  rollback(lr: number): Reply<'rollback'> {
    return this.exclusive(async () => {
      const { trainer } = this;
      const snapshot = trainer?.lastSnapshot;
      if (!trainer || !snapshot) throw new Error('There is no snapshot to go back to.');
      const from = trainer.experiment.train.lr;
      const experiment = { ...trainer.experiment, train: { ...trainer.experiment.train, lr } };
      trainer.run.setLive(experiment);
      this.experiment = experiment;
      trainer.restore(snapshot);
      this.emit({ type: 'experiment', runId: trainer.runId, experiment });
      trainer.mark({ step: snapshot.step, field: 'train.lr', from, to: lr });
    });
  }

  view(smoothing: number): void {
    this.smoothing = Math.min(0.999, Math.max(0, smoothing));
    if (!this.trainer) return;
    this.trainer.smoothing = this.smoothing;
    this.trainer.emitSeries(true);
  }

  memory(): CommandMap['memory']['reply'] {
    const buffers = this.device.gpu?.buffers;
    return {
      liveBytes: buffers?.liveBytes ?? 0,
      stagingBytes: buffers?.stagingBytes ?? 0,
      liveBuffers: buffers?.liveCount ?? 0,
      createdBuffers: buffers?.createdCount ?? 0,
    };
  }

  /** Ends the run and frees everything on the GPU; the device stays open. */
  dispose(): Promise<void> {
    return this.exclusive(async () => {
      await this.endRun();
      await this.spare.drop();
      this.datasets.release();
    });
  }

  provoke(fault: CommandMap['provoke']['args']['fault']): void {
    provoke(fault, this.device.required, this.emit);
  }

  /** The device is gone: opens another and continues from the last snapshot. */
  private async recover(reason: string): Promise<void> {
    const { trainer } = this;
    const wasRunning = trainer !== undefined && (trainer.phase === 'running' || trainer.broken);
    const snapshot: Snapshot | undefined = trainer?.lastSnapshot;
    const fault: Fault = {
      kind: 'device-lost',
      message: 'The graphics device went away; a new one is being opened.',
      detail: reason,
      ...(trainer && { step: trainer.landed }),
      ...(snapshot && { snapshotStep: snapshot.step }),
    };
    this.emit({ type: 'fault', fault });
    await trainer?.pause();
    this.device.gpu = undefined;
    this.trainer = undefined;
    this.spare.forget();
    this.preparation.end();
    this.datasets.forget();
    const opened = await this.device.reopen();
    if (!opened) {
      this.emit({ type: 'fault', fault: { ...fault, message: 'The graphics device went away and could not be opened again.' } });
      return;
    }
    if (!trainer) {
      this.emitIdle();
      return;
    }
    try {
      const next = await this.rebuild(trainer, snapshot);
      if (wasRunning) next.start();
      else next.emitState();
    } catch (error) {
      // Lost again while rebuilding: the next loss event takes over.
      if (error instanceof DeviceLostError || this.device.required.lostReason !== undefined) return;
      this.emit({ type: 'fault', fault: faultOf(error) });
    }
  }
}

/** The overrides of one experiment under the target rank of another, whose own change has a mark of its own. */
const withRank = (from: Experiment, { method: { targetRank } }: Experiment): Experiment => ({
  ...from,
  method: { ...from.method, targetRank },
});

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
