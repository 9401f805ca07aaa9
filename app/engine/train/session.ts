import { ConfigError, differences, isLive, valueAt, type DatasetName, type Experiment } from '../../protocol/experiment';
import { presetFor } from '../../protocol/presets';
import type { Batch, CommandMap, DeviceReport, Fault, MatrixSpectrum, PlanReport, StepRecord } from '../../protocol/messages';
import { DeviceLostError, Gpu } from '../gpu/device';
import { describeMatmul, type MatmulTuning } from '../ops/matmul';
import { Datasets, resolveModel } from './datasets';
import { FaultError, faultOf, type Emit } from './events';
import { LinalgDesk } from './linalgDesk';
import { planExperiment } from './plan';
import { Preparation } from './preparation';
import { provoke } from './provoke';
import { Run } from './run';
import { readSafetensors, writeSafetensors, type Tensor } from './safetensors';
import { checkCut, checkShares, type CutChoice } from '../../protocol/truncation';
import { arenaOf, factoredFile, tensorsOf } from './weights';
import type { Snapshot } from './snapshot';
import type { History } from './history';
import { Trainer } from './trainer';
import { deviceName, rememberedTuning } from './tuning';

type Reply<K extends keyof CommandMap> = Promise<CommandMap[K]['reply']>;

/** How often a lost device is asked for again, and how long to wait in between, milliseconds. */
const REOPEN = [0, 500, 1500, 4000];

/**
 * Everything the page can ask of the engine. Commands that touch the run are carried out one after the other; a pause is heard
 * at once. Survives the loss of its device: opens a new one and continues from the last snapshot.
 */
export class Session {
  private gpu: Gpu | undefined;
  private tuning: (MatmulTuning & { gflops: number }) | undefined;
  private experiment: Experiment | undefined;
  private trainer: Trainer | undefined;
  private spare: { key: string; run: Run } | undefined;
  private warming = false;
  private runs = 0;
  private smoothing = 0.9;
  private chain: Promise<unknown> = Promise.resolve();
  /** Increases with every pause; a start that began before it does not begin to train. */
  private pauses = 0;
  private baseUrl = '';
  private readonly datasets: Datasets;
  private readonly preparation: Preparation;
  readonly linalg = new LinalgDesk(
    () => this.requireGpu(),
    () => this.requireTuning(),
  );
  /** Measured seconds per step of the last run, for estimates of the same model. */
  private measured: { key: string; msPerStep: number } | undefined;

  constructor(private readonly emit: Emit) {
    this.datasets = new Datasets(emit, () => this.baseUrl);
    this.preparation = new Preparation(emit);
  }

  /** Runs `work` after all earlier exclusive commands. */
  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.chain.then(work);
    this.chain = result.catch(() => undefined);
    return result;
  }

  private requireGpu(): Gpu {
    if (!this.gpu)
      throw new FaultError({ kind: 'no-device', message: 'The graphics device is not open.', detail: 'init has not succeeded' });
    return this.gpu;
  }
  private requireTuning(): MatmulTuning & { gflops: number } {
    if (!this.tuning)
      throw new FaultError({ kind: 'no-device', message: 'The graphics device is not measured.', detail: 'init has not succeeded' });
    return this.tuning;
  }
  private requireExperiment(): Experiment {
    if (!this.experiment) throw new ConfigError('experiment', 'No experiment has been configured yet.');
    return this.experiment;
  }

  /** Opens and measures the device. @throws GpuUnavailableError */
  async init(baseUrl: string): Promise<DeviceReport> {
    this.baseUrl = baseUrl;
    this.preparation.stages([{ label: 'Opening the graphics device', detail: '', state: 'active' }], 0);
    await this.openGpu();
    const gpu = this.requireGpu();
    this.preparation.stages(
      [
        { label: 'Device found', detail: deviceName(gpu.info), state: 'done' },
        { label: 'Measuring which kernels are fastest here', detail: '', state: 'active' },
      ],
      0.3,
    );
    this.tuning = await rememberedTuning(gpu);
    this.preparation.stages([], 1);
    const { info } = gpu;
    const features = [info.f16 && 'f16', info.subgroups && 'subgroups', info.timestamps && 'timestamps'].filter((f) => f !== false);
    return {
      name: deviceName(info),
      software: info.software,
      features,
      maxBufferSize: info.maxBufferSize,
      maxStorageBufferBindingSize: info.maxStorageBufferBindingSize,
      gflops: this.tuning.gflops,
      matmulVariant: describeMatmul(this.tuning, { m: 2048, n: 256, k: 256, transB: true }).variant,
      preset: presetFor(this.tuning.gflops, info.software),
    };
  }

  private async openGpu(): Promise<void> {
    const gpu = await Gpu.open();
    gpu.onError = (message) => {
      // What a lost device still complains about is explained by its loss.
      if (gpu.lostReason !== undefined || this.gpu !== gpu) return;
      this.emit({
        type: 'fault',
        fault: { kind: 'internal', message: 'The graphics device rejected a command; this is a defect of the page.', detail: message },
      });
    };
    gpu.pipelines.onProgress = (finished, started) => this.preparation.onCompile(finished, started);
    this.gpu = gpu;
    void gpu.device.lost.then((lost) => {
      if (this.gpu === gpu) void this.exclusive(() => this.recover(lost.message || lost.reason));
    });
  }

  /** From here until the run is there, compilations are shown. */
  private announce(): void {
    if (this.gpu) this.preparation.begin(deviceName(this.gpu.info));
  }

  plan(experiment: Experiment): PlanReport {
    const tuning = this.requireTuning();
    const plan = planExperiment(experiment, {
      info: this.requireGpu().info,
      gflops: tuning.gflops,
      counts: this.datasets.counts(experiment.dataset),
    });
    if (this.measured?.key !== costKey(experiment)) return plan;
    return { ...plan, secondsPerEpoch: (this.measured.msPerStep / 1000) * plan.stepsPerEpoch };
  }

  /** Takes over an experiment: live fields at once, any other by ending the run. */
  configure(experiment: Experiment): Reply<'configure'> {
    // A start that follows will wait for the compilation ahead: it is shown from here on.
    if (this.warming) this.announce();
    return this.exclusive(async () => {
      const plan = this.plan(experiment);
      const { trainer, experiment: before } = this;
      if (trainer && before) {
        const changed = differences(before, experiment);
        if (changed.every(isLive) && trainer.phase !== 'failed') {
          trainer.run.setLive(experiment);
          for (const field of changed) {
            const [from, to] = [valueAt(before, field), valueAt(experiment, field)];
            if (trainer.step > 0 && typeof from === 'number' && typeof to === 'number')
              this.emit({ type: 'mark', runId: trainer.runId, mark: { step: trainer.step, field, from, to } });
          }
        } else if (changed.length > 0) await this.endRun();
      }
      this.experiment = experiment;
      if (this.trainer) this.emit({ type: 'experiment', runId: this.trainer.runId, experiment });
      return plan;
    });
  }

  /**
   * Makes the run that Play would make, while the visitor still reads: shaders compiled, shapes drawn, buffers allocated. Silent.
   * The next start of the same experiment takes it over; one of another experiment drops it.
   */
  warm(experiment: Experiment): Promise<void> {
    return this.exclusive(async () => {
      if (this.trainer || this.plan(experiment).refusal) return;
      await this.dropSpare();
      const gpu = this.requireGpu();
      this.warming = true;
      try {
        const run = await Run.create(gpu, experiment, resolveModel(experiment), this.requireTuning());
        this.spare = { key: JSON.stringify(experiment), run };
        if (experiment.dataset === 'shapes') await run.attach(await this.datasets.onGpu(gpu, 'shapes'));
      } finally {
        this.warming = false;
      }
    });
  }

  private async dropSpare(): Promise<void> {
    const { spare } = this;
    this.spare = undefined;
    await spare?.run.dispose();
  }

  /** The run made ahead, if it is of this experiment. */
  private async takeSpare(experiment: Experiment): Promise<Run | undefined> {
    const { spare } = this;
    if (spare?.key !== JSON.stringify(experiment)) {
      await this.dropSpare();
      return undefined;
    }
    this.spare = undefined;
    return spare.run;
  }

  private async endRun(): Promise<void> {
    const { trainer } = this;
    if (!trainer) return;
    const timing = trainer.timing();
    if (timing && this.experiment) this.measured = { key: costKey(this.experiment), msPerStep: timing.msPerStep };
    this.trainer = undefined;
    await trainer.dispose();
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
    const { liveBytes } = this.memory();
    this.emit({ type: 'state', runId: this.runs, phase: 'idle', step: 0, totalSteps, elapsedMs: 0, liveBytes });
  }

  private async prepareTrainer(data: boolean): Promise<Trainer> {
    const gpu = this.requireGpu();
    const experiment = this.requireExperiment();
    const { refusal } = this.plan(experiment);
    if (refusal) throw new ConfigError('model', refusal.reason);
    let { trainer } = this;
    const fresh = !trainer;
    if (!trainer) {
      const runId = ++this.runs;
      this.emit({
        type: 'state',
        runId,
        phase: 'preparing',
        step: 0,
        totalSteps: experiment.train.steps,
        elapsedMs: 0,
        liveBytes: gpu.buffers.liveBytes,
      });
      this.emit({ type: 'experiment', runId, experiment });
      this.announce();
      const run = (await this.takeSpare(experiment)) ?? (await Run.create(gpu, experiment, resolveModel(experiment), this.requireTuning()));
      trainer = new Trainer(run, runId, this.emit);
      trainer.smoothing = this.smoothing;
      this.trainer = trainer;
    }
    if (data && !trainer.run.canEvaluate) {
      const label = experiment.dataset === 'shapes' ? 'Shapes drawn' : 'CIFAR-10 on the GPU';
      const images = await this.datasets.onGpu(gpu, experiment.dataset);
      this.preparation.done(label, `${images.train.count + images.test.count} images`);
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

  step(count: number): Promise<StepRecord[]> {
    return this.exclusive(async () => (await this.ensureTrainer(true)).steps(count));
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
    return this.trainer?.history.records() ?? [];
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

  exportWeights(): Promise<Uint8Array> {
    return this.exclusive(async () => {
      const { run } = await this.ensureTrainer(false);
      const { experiment } = run;
      return writeSafetensors(tensorsOf(await run.readParameters(), run.table), {
        format: 'pt',
        'q3r.experiment': JSON.stringify(experiment),
      });
    });
  }

  /** A run at step 0 that starts from these weights. @throws Error naming the first tensor that does not fit; the run then stays */
  importWeights(bytes: Uint8Array): Reply<'importWeights'> {
    return this.exclusive(async () => {
      const { table } = (await this.ensureTrainer(false)).run;
      const arena = arenaOf(readSafetensors(bytes), table);
      await this.endRun();
      const trainer = await this.ensureTrainer(false);
      trainer.run.writeParameters(arena);
      await trainer.watchSpectra();
    });
  }

  gradients(batch: Batch): Promise<Uint8Array> {
    return this.exclusive(async () => {
      const { run } = await this.ensureTrainer(false);
      const { loss, logits, grads } = await run.gradients(batch);
      const out = new Map<string, Tensor>([
        ['logits', { shape: [batch.labels.length, run.config.numClasses], data: logits }],
        ['loss', { shape: [], data: new Float32Array([loss]) }],
      ]);
      for (const [name, tensor] of tensorsOf(grads, run.table)) out.set(`grads.${name}`, tensor);
      return writeSafetensors(out);
    });
  }

  trainOn(batch: Batch): Promise<StepRecord> {
    return this.exclusive(async () => (await this.ensureTrainer(false)).trainOn(batch));
  }

  /** Logits; of the truncated model where a cut is given. @throws RangeError */
  predict(images: Float32Array, cut?: CutChoice): Promise<Float32Array> {
    if (cut) checkCut(cut);
    return this.exclusive(async () => {
      const { run } = await this.ensureTrainer(false);
      return cut ? (await run.truncation()).predict(images, cut) : run.predict(images);
    });
  }

  /** @throws RangeError for a value that is no share, ConfigError when no matrix is chosen */
  truncate({ values, by, count, fresh = true }: CommandMap['truncate']['args']): Reply<'truncate'> {
    checkShares(values, by);
    // Only its start waits for its turn: a curve takes seconds, and a setting may change and a pause be pressed meanwhile.
    return this.exclusive(() => this.ensureTrainer(true)).then(({ cutting }) => cutting.truncate({ values, by, count, fresh }));
  }

  /** @throws RangeError, ConfigError */
  exportFactored(cut: CutChoice): Promise<Uint8Array> {
    checkCut(cut);
    return this.exclusive(async () => {
      const { run } = await this.ensureTrainer(false);
      return factoredFile(await (await run.truncation()).export(cut), cut, run.experiment);
    });
  }

  loadDataset(name: DatasetName, refresh?: boolean): Reply<'loadDataset'> {
    return this.replaceData(name, () => this.datasets.load(name, refresh));
  }
  loadFiles(name: DatasetName, files: { name: string; blob: Blob }[]): Reply<'loadFiles'> {
    return this.replaceData(name, () => this.datasets.loadFiles(name, files));
  }
  /** A run holds its data set on the GPU: when that set is replaced, the run ends. */
  private async replaceData<T>(name: DatasetName, load: () => Promise<T>): Promise<T> {
    const info = await load();
    return this.exclusive(async () => {
      if (!this.datasets.stale(name)) return info;
      if (this.trainer?.experiment.dataset === name) await this.endRun();
      await this.dropSpare();
      this.datasets.release();
      return info;
    });
  }
  cancelLoad(): void {
    this.datasets.cancel();
  }
  samples(name: DatasetName, count: number): Reply<'samples'> {
    return this.datasets.samples(name, count);
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
      this.emit({ type: 'mark', runId: trainer.runId, mark: { step: snapshot.step, field: 'train.lr', from, to: lr } });
    });
  }

  view(smoothing: number): void {
    this.smoothing = Math.min(0.999, Math.max(0, smoothing));
    if (!this.trainer) return;
    this.trainer.smoothing = this.smoothing;
    this.trainer.emitSeries(true);
  }

  memory(): CommandMap['memory']['reply'] {
    const buffers = this.gpu?.buffers;
    return { liveBytes: buffers?.liveBytes ?? 0, liveBuffers: buffers?.liveCount ?? 0, createdBuffers: buffers?.createdCount ?? 0 };
  }

  /** Ends the run and frees everything on the GPU; the device stays open. */
  dispose(): Promise<void> {
    return this.exclusive(async () => {
      await this.endRun();
      await this.dropSpare();
      this.datasets.release();
    });
  }

  provoke(fault: CommandMap['provoke']['args']['fault']): void {
    provoke(fault, this.requireGpu(), this.emit);
  }

  /** Asks for a device again and again, with pauses; false when none could be had. */
  private async reopen(): Promise<boolean> {
    for (const wait of REOPEN) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        await this.openGpu();
        return true;
      } catch {
        continue;
      }
    }
    return false;
  }

  /** The device is gone: opens another and continues from the last snapshot. */
  private async recover(reason: string): Promise<void> {
    const { trainer } = this;
    const wasRunning = trainer !== undefined && (trainer.phase === 'running' || trainer.broken);
    const snapshot: Snapshot | undefined = trainer?.lastSnapshot;
    const history: History | undefined = trainer?.history;
    const fault: Fault = {
      kind: 'device-lost',
      message: 'The graphics device went away; a new one is being opened.',
      detail: reason,
      ...(trainer && { step: trainer.landed }),
      ...(snapshot && { snapshotStep: snapshot.step }),
    };
    this.emit({ type: 'fault', fault });
    await trainer?.pause();
    this.gpu = undefined;
    this.trainer = undefined;
    this.spare = undefined;
    this.preparation.end();
    this.datasets.forget();
    const opened = await this.reopen();
    if (!opened) {
      this.emit({ type: 'fault', fault: { ...fault, message: 'The graphics device went away and could not be opened again.' } });
      return;
    }
    if (!trainer) {
      this.emitIdle();
      return;
    }
    try {
      const gpu = this.requireGpu();
      const experiment = this.requireExperiment();
      const run = await Run.create(gpu, experiment, resolveModel(experiment), this.requireTuning());
      const next = new Trainer(run, trainer.runId, this.emit);
      next.smoothing = this.smoothing;
      this.trainer = next;
      if (trainer.run.canEvaluate) await run.attach(await this.datasets.onGpu(gpu, experiment.dataset));
      if (snapshot) next.restore(snapshot, history);
      if (wasRunning) next.start();
      else next.emitState();
    } catch (error) {
      // Lost again while rebuilding: the next loss event takes over.
      if (error instanceof DeviceLostError || this.requireGpu().lostReason !== undefined) return;
      this.emit({ type: 'fault', fault: faultOf(error) });
    }
  }
}

/** What the time of a step depends on. */
const costKey = ({ model, train, method }: Experiment): string =>
  JSON.stringify([model, train.batchSize, method.name, method.reweightEvery, method.svd, method.targetRank, method.targetModules]);
