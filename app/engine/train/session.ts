import { differences, isLive, valueAt, type Experiment } from '../../protocol/experiment';
import type { CommandMap, DeviceReport, Fault, MatrixSpectrum, PlanReport, StepRecord } from '../../protocol/messages';
import { DeviceLostError } from '../gpu/device';
import { CheckpointDesk } from './checkpointDesk';
import { DataDesk } from './dataDesk';
import { Datasets } from './datasets';
import { DeviceDesk } from './deviceDesk';
import { faultOf, type Emit } from './events';
import { InspectDesk } from './inspectDesk';
import { LinalgDesk } from './linalgDesk';
import { overrideMarks } from './matrices';
import { Preparation } from './preparation';
import { provoke } from './provoke';
import { RooflineDesk } from './rooflineDesk';
import { RunDesk } from './runDesk';
import type { Snapshot } from './snapshot';
import { SpareRun } from './spareRun';
import type { Trainer } from './trainer';
import { WeightsDesk } from './weightsDesk';

type Reply<K extends keyof CommandMap> = Promise<CommandMap[K]['reply']>;

/**
 * Everything the page can ask of the engine. Commands that touch the run are carried out one after the other; a pause is heard
 * at once. Survives the loss of its device: opens a new one and continues from the last snapshot.
 */
export class Session {
  private readonly runs: RunDesk;
  private chain: Promise<unknown> = Promise.resolve();
  /** Increases with every pause; a start that began before it does not begin to train. */
  private pauses = 0;
  private baseUrl = '';
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

  constructor(private readonly emit: Emit) {
    this.datasets = new Datasets(emit, () => this.baseUrl);
    this.preparation = new Preparation(emit);
    this.spare = new SpareRun(this.datasets);
    this.device = new DeviceDesk(emit, this.preparation, (reason) => void this.exclusive(() => this.recover(reason)));
    this.runs = new RunDesk({
      emit,
      device: this.device,
      datasets: this.datasets,
      preparation: this.preparation,
      spare: this.spare,
      checkpoints: () => this.checkpoints,
    });
    this.linalg = new LinalgDesk(
      () => this.device.required,
      () => this.device.tuning,
    );
    this.weights = new WeightsDesk({
      emit,
      exclusive: (work) => this.exclusive(work),
      ensureTrainer: (data) => this.runs.ensureTrainer(data),
      endRun: () => this.runs.endRun(),
    });
    this.data = new DataDesk({
      datasets: this.datasets,
      spare: this.spare,
      gpu: () => this.device.required,
      run: () => this.trainer?.run,
      endRun: () => this.runs.endRun(),
      exclusive: (work) => this.exclusive(work),
    });
    this.inspection = new InspectDesk({
      datasets: this.datasets,
      exclusive: (work) => this.exclusive(work),
      ensureTrainer: (data) => this.runs.ensureTrainer(data),
    });
    this.roofline = new RooflineDesk({
      emit,
      datasets: this.datasets,
      gpu: () => this.device.required,
      tuning: () => this.device.tuning,
      plan: (experiment) => this.runs.plan(experiment),
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
      ensureTrainer: () => this.runs.ensureTrainer(false),
      replaceRun: (experiment, fill) => this.runs.replaceRun(experiment, fill),
    });
  }

  private get trainer(): Trainer | undefined {
    return this.runs.trainer;
  }

  /** Runs `work` after all earlier exclusive commands. */
  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.chain.then(work);
    this.chain = result.catch(() => undefined);
    return result;
  }

  /** Opens and measures the device; `keep` says whether runs are kept in the browser's storage. @throws GpuUnavailableError */
  async init(baseUrl: string, keep = true): Promise<DeviceReport> {
    this.baseUrl = baseUrl;
    this.runs.keep = keep;
    const [report] = await Promise.all([this.device.init(), this.datasets.recall()]);
    return report;
  }

  /** What an experiment needs and takes on this device. */
  plan(experiment: Experiment): PlanReport {
    return this.runs.plan(experiment);
  }

  /** Takes over an experiment: live fields at once, any other by ending the run. */
  configure(experiment: Experiment): Reply<'configure'> {
    // A start that follows will wait for the compilation ahead: it is shown from here on.
    if (this.spare.warming) this.runs.announce();
    return this.exclusive(async () => {
      const plan = this.runs.plan(experiment);
      const { trainer, experiment: before } = this.runs;
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
        } else if (changed.length > 0) await this.runs.endRun();
      }
      this.runs.experiment = experiment;
      if (this.trainer) this.emit({ type: 'experiment', runId: this.trainer.runId, experiment });
      return plan;
    });
  }

  /** Makes the run of the next start ahead, see `SpareRun`. Silent. */
  warm(experiment: Experiment): Promise<void> {
    return this.exclusive(async () => {
      if (this.trainer || this.runs.plan(experiment).refusal) return;
      await this.spare.make(experiment, this.device.required, this.device.tuning);
    });
  }

  start(steps?: number): Reply<'start'> {
    const { pauses } = this;
    if (!this.trainer) this.runs.announce();
    return this.exclusive(async () => {
      const trainer = await this.runs.ensureTrainer(true);
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
    return this.exclusive(async () => (await this.runs.ensureTrainer(true)).steps(count, turn));
  }

  /** Back to step 0 with the same initial weights, or with those of another seed. */
  reset(seed?: number): Reply<'reset'> {
    this.pauses++;
    const stopped = this.trainer?.pause();
    return this.exclusive(async () => {
      await stopped;
      await this.runs.endRun();
      const { experiment } = this.runs;
      if (seed !== undefined && experiment) this.runs.experiment = { ...experiment, train: { ...experiment.train, seed } };
      await this.runs.ensureTrainer(false);
      await this.trainer?.watchSpectra();
    });
  }

  history(): StepRecord[] {
    return this.trainer?.records() ?? [];
  }

  evaluate(): Reply<'evaluate'> {
    return this.exclusive(async () => {
      const trainer = await this.runs.ensureTrainer(true);
      await trainer.settled();
      return trainer.run.evaluate(trainer.experiment.train.evalCount);
    });
  }

  spectra(): Promise<MatrixSpectrum[]> {
    return this.exclusive(async () => (await this.runs.ensureTrainer(false)).watchSpectra());
  }

  /** Back to the last good snapshot, with another peak learning rate. */
  rollback(lr: number): Reply<'rollback'> {
    return this.exclusive(async () => {
      const { trainer } = this;
      const snapshot = trainer?.snapshots.last;
      if (!trainer || !snapshot) throw new Error('There is no snapshot to go back to.');
      const from = trainer.experiment.train.lr;
      const experiment = { ...trainer.experiment, train: { ...trainer.experiment.train, lr } };
      trainer.run.setLive(experiment);
      this.runs.experiment = experiment;
      trainer.restore(snapshot);
      this.emit({ type: 'experiment', runId: trainer.runId, experiment });
      trainer.mark({ step: snapshot.step, field: 'train.lr', from, to: lr });
    });
  }

  view(smoothing: number): void {
    this.runs.smoothing = Math.min(0.999, Math.max(0, smoothing));
    if (!this.trainer) return;
    this.trainer.smoothing = this.runs.smoothing;
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
      await this.runs.endRun();
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
    const snapshot: Snapshot | undefined = trainer?.snapshots.last;
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
    this.runs.trainer = undefined;
    this.spare.forget();
    this.preparation.end();
    this.datasets.forget();
    const opened = await this.device.reopen();
    if (!opened) {
      this.emit({ type: 'fault', fault: { ...fault, message: 'The graphics device went away and could not be opened again.' } });
      return;
    }
    if (!trainer) {
      this.runs.emitIdle();
      return;
    }
    try {
      const next = await this.runs.rebuild(trainer, snapshot);
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
