import { readMetrics } from '../../../kernels/metrics/metrics';
import { canFeed } from '../../../kernels/gather/augment';
import { NO_MIX, type Mix } from '../../../kernels/stepState';
import { ConfigError, type Experiment } from '../../protocol/experiment';
import type { Batch, MatrixSpectrum, StepRecord } from '../../protocol/messages';
import type { Factorization } from '../factorization/factorization';
import { importFactors } from '../factorization/import';
import type { ArenaTable } from '../factorization/layout';
import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Program } from '../gpu/recorder';
import type { PhaseTimes } from '../gpu/timestamps';
import type { Tolerance } from '../linalg/svdBatch';
import type { VitTuning } from '../model/memory';
import type { ParameterTable, VitConfig } from '../model/parameters';
import type { VitModel } from '../model/vit';
import { GpuDataset } from '../ops/gather';
import type { Adam } from '../optim/adam';
import { resetLossScale } from '../optim/lossScale';
import { drawMix } from '../optim/mix';
import { learningRate } from '../optim/schedule';
import type { RunTables, StateLayout } from './checkpoint';
import { firstBadTensor, type BadTensor } from './badTensor';
import { checkBatch, gradientsOf, predictionOf } from './handBatch';
import { disposeKit, feedKit, makeKit, starveKit, type Kit } from './kit';
import { planMatrices } from './matrices';
import { truncatedMatrices } from './plan';
import type { RankControl } from './rankControl';
import { evaluationBatch, stepStateOf, storesHalves } from './recipe';
import { allocateRun, disposeParts, type RunParts } from './runParts';
import { joined } from './safetensors';
import type { Snapshot } from './snapshot';
import type { StepViews } from './step';
import { Truncation, type TestBench } from './truncation';
import { Validation } from './validation';

/** What one step leaves behind. */
export interface StepResult {
  readonly record: StepRecord;
  /** The step's loss or gradient was not finite; the weights were left as they were. */
  readonly halted: boolean;
  /** The scaled gradient overflowed: the weights were left as they were, and the scale is smaller. */
  readonly skipped: boolean;
  /** What the loss of the next step is multiplied by; 0 where none is. */
  readonly lossScale: number;
  readonly times: PhaseTimes | null;
}

/** The data of a run, on the GPU. */
export interface RunData {
  readonly train: GpuDataset;
  readonly test: GpuDataset;
}

/**
 * One training run on one device: weights, optimizer, regularizer and every program, allocated once by `create`.
 * Holds no history and no timers; `Trainer` drives it.
 */
export class Run {
  private readonly kits = new Map<string, Kit>();
  private readonly validation = new Validation();
  private data: RunData | undefined;
  private truncating: Promise<Truncation> | undefined;
  private ended = false;
  /** Changes with the weights. */
  private version = 0;
  /** The last step submitted. */
  private last = 0;

  readonly table: ParameterTable;
  readonly tuning: VitTuning;
  readonly views: StepViews;
  readonly adam: Adam;
  readonly rank: RankControl;
  readonly factorization: Factorization | undefined;

  private constructor(
    readonly gpu: Gpu,
    /** Live fields of it change while the run goes on. */
    public experiment: Experiment,
    readonly config: VitConfig,
    private readonly parts: RunParts,
  ) {
    this.table = parts.table;
    this.tuning = parts.tuning;
    this.views = parts.views;
    this.adam = parts.adam;
    this.rank = parts.rank;
    this.factorization = parts.factorization;
  }

  /** Allocates everything and compiles what a step needs. @throws OutOfMemoryError, ShaderError */
  static async create(gpu: Gpu, experiment: Experiment, config: VitConfig, general: VitTuning): Promise<Run> {
    const run = new Run(gpu, experiment, config, await allocateRun(gpu, experiment, config, general));
    // Side by side: a driver compiles on every core. All have ended before anything is freed.
    const parts = await Promise.allSettled([run.ownKit(), run.rank.build(), run.factorization?.build(), GpuDataset.compile(gpu)]);
    for (const part of parts)
      if (part.status === 'rejected') {
        await run.dispose();
        throw part.reason;
      }
    run.factorization?.compose();
    run.restartAverage();
    return run;
  }

  /**
   * Gives the run its data set; before the first gathered step. The caller keeps ownership of the data. What only validation needs
   * is allocated here and compiled while the first steps run: `evaluable` tells when. Where it fails, it may be tried again.
   */
  async attach(data: RunData): Promise<void> {
    if (this.data) return;
    const { gpu, config, tuning, halves, experiment, validation } = this;
    const kit = await this.ownKit();
    const { channels } = data.train.shape;
    if (!canFeed(channels, config.inChannels))
      throw new ConfigError(
        'model.inChannels',
        `Image channels must be ${channels}, as the data set's images have, and not ${config.inChannels}.`,
      );
    try {
      await feedKit(this, kit, data.train);
      const batch = Math.min(evaluationBatch(experiment, config), data.test.count);
      await validation.open(gpu, data.test, this.evaluated, { config, batch, tuning, halves, host: kit.model });
      this.data = data;
    } catch (error) {
      starveKit(kit);
      validation.close();
      throw error;
    }
  }

  /** The kit of the run's own batches. */
  private ownKit(): Promise<Kit> {
    const { batchSize, accumulate } = this.experiment.train;
    return this.kit(batchSize, accumulate, this.parts.model);
  }

  private async kit(batch: number, parts: number, model?: VitModel): Promise<Kit> {
    const key = `${batch}/${parts}`;
    const kit = this.kits.get(key) ?? (await makeKit(this, batch, parts, model));
    this.kits.set(key, kit);
    return kit;
  }

  /** Resolves when step t may be submitted: a read-back slot is free, and what its refresh depends on has come back. */
  async ready(t: number): Promise<void> {
    await this.parts.flight.ready();
    await this.rank.ready(t, this.experiment.method.reweightEvery);
  }

  /** Queues step t (from 1) on the next batch of the data set, before it returns; `ready(t)` has resolved. */
  submitStep(t: number, parts: number): Promise<StepResult> {
    const { batchSize, accumulate, mixup, cutmix, seed } = this.experiment.train;
    const kit = this.kits.get(`${batchSize}/${accumulate}`);
    if (!kit || kit.gathered.length === 0) throw new Error('the run has no data');
    const mix = drawMix({ mixup, cutmix }, seed, t, this.config.imageSize);
    return this.submit(t, kit.gathered, parts, mix);
  }

  /** Step t on a batch given by hand, of any size. */
  async submitBatch(t: number, batch: Batch): Promise<StepResult> {
    checkBatch(this.config, batch.images, batch.labels);
    const kit = await this.kit(batch.labels.length, 1);
    await this.ready(t);
    this.gpu.write(kit.model.images, batch.images);
    this.gpu.write(kit.model.labels, batch.labels);
    return this.submit(t, [kit.step.program], 1);
  }

  private submit(t: number, programs: readonly Program[], parts: number, mix: Mix = NO_MIX): Promise<StepResult> {
    const { train, method } = this.experiment;
    const lr = learningRate(train, t);
    const refresh = this.rank.refreshFor(t, method.reweightEvery);
    const epoch = this.writeState(t, mix);
    this.version++;
    this.last = t;
    const landed = this.parts.flight.submit([...refresh, ...programs], [this.views.metrics, ...this.rank.statusViews], parts);
    if (refresh.length > 0) this.rank.observe(landed.then(({ data }) => data.slice(this.views.metrics.size)));
    return landed.then(({ data, times }) => {
      const { loss, accuracy, gradNorm, regularizer, halted, skipped, lossScale } = readMetrics(data);
      return { record: { step: t, epoch, loss, regularizer, accuracy, lr, gradNorm }, halted, skipped, lossScale, times };
    });
  }

  /**
   * What step t runs, its scalars written, for whoever runs it another way: the refresh, if one is due, and the rest. Without data,
   * the batch is what the model's input holds. `settle` must follow when it has run.
   */
  async programsOf(t: number): Promise<{ refresh: readonly Program[]; step: readonly Program[] }> {
    const { mixup, cutmix, seed } = this.experiment.train;
    const kit = await this.ownKit();
    const refresh = this.rank.refreshFor(t, this.experiment.method.reweightEvery);
    this.writeState(t, drawMix({ mixup, cutmix }, seed, t, this.config.imageSize));
    this.version++;
    this.last = t;
    return { refresh, step: kit.gathered.length > 0 ? kit.gathered : [kit.step.program] };
  }

  /** Takes what the last refresh reports, which the next one depends on. */
  async settle(): Promise<void> {
    const { statusViews } = this.rank;
    if (statusViews.length > 0)
      this.rank.observe(
        Promise.all(statusViews.map(async (view) => new Uint8Array(await this.gpu.read(view)))).then((all) => joined(all).buffer),
      );
    await this.rank.ready(1, 1);
  }

  /** Writes the scalars of step t where its kernels read them; returns the epochs behind it. */
  private writeState(t: number, mix: Mix): number {
    const trainCount = this.data?.train.count ?? 1;
    this.gpu.write(this.views.state, stepStateOf(this.experiment, { t, trainCount, mix }));
    return ((t - 1) * this.experiment.train.batchSize) / trainCount;
  }

  /**
   * The model's weights in the layout of `table`, current after every step: what the forward pass, the spectra, truncation and
   * export read. The trained parameters themselves, unless a technique composes the weights from factors.
   */
  get weights(): View {
    return this.factorization?.weights ?? this.views.params;
  }
  /** What validation, truncation and prediction use: the running average of the weights where there is one, else the weights. */
  get evaluated(): View {
    return this.views.ema ?? this.weights;
  }

  /** The running average begins anew at the weights. */
  private restartAverage(): void {
    const { ema } = this.views;
    if (!ema) return;
    const encoder = this.gpu.device.createCommandEncoder({ label: 'ema.restart' });
    encoder.copyBufferToBuffer(this.weights.buffer, this.weights.offset, ema.buffer, ema.offset, ema.size);
    this.gpu.device.queue.submit([encoder.finish()]);
  }

  /** Activations are stored in half precision, in training and in whatever reads the model. */
  get halves(): boolean {
    return storesHalves(this.experiment);
  }

  get canEvaluate(): boolean {
    return this.validation.bench !== undefined;
  }

  /** Resolves when a validation can be queued at once. @throws ShaderError */
  evaluable(): Promise<void> {
    return this.validation.evaluable();
  }

  /**
   * Mean loss and accuracy over the first `count` test images, of the weights as they are when this is called; while another is under
   * way, or it is not compiled yet, as they are when its turn comes, see `evaluable`.
   */
  evaluate(count: number): Promise<{ loss: number; accuracy: number; count: number }> {
    return this.validation.evaluate(count);
  }

  /** All singular values of every matrix, with the regularizer's figures. */
  spectra(tolerance: Tolerance = 'fine'): Promise<MatrixSpectrum[]> {
    return this.rank.spectra(this.experiment.method.lambda, tolerance);
  }

  /** Takes over live fields; the caller has made sure that no other differs. */
  setLive(experiment: Experiment): void {
    const before = this.experiment.method;
    const { targetRank, overrides } = experiment.method;
    this.experiment = experiment;
    if (before.targetRank !== targetRank || before.overrides !== overrides) this.rank.tune(planMatrices(experiment, this.config));
  }

  /** Loss, logits and every gradient (as an arena) of a batch given by hand; nothing is changed. @throws RangeError */
  gradients(batch: Batch): Promise<{ loss: number; logits: Float32Array; grads: Float32Array }> {
    const { gpu, config, table, tuning, halves } = this;
    const { labelSmoothing } = this.experiment.train;
    checkBatch(config, batch.images, batch.labels);
    return gradientsOf(gpu, { config, table, tuning, halves, params: this.weights, labelSmoothing, batch });
  }

  /** Logits [B, numClasses] of normalised images. @throws RangeError */
  predict(images: Float32Array): Promise<Float32Array> {
    const { gpu, config, tuning, halves } = this;
    return predictionOf(gpu, { config, tuning, halves, params: this.evaluated, images });
  }

  /** Truncation of the evaluated weights; made at the first call, and again once there are data. @throws AbortError after `dispose` */
  async truncation(): Promise<Truncation> {
    const before = await this.truncating?.catch(() => undefined);
    if (this.ended) throw new DOMException('The run has ended.', 'AbortError');
    if (before && (before.canEvaluate || !this.data)) return before;
    await before?.dispose();
    if (this.ended) throw new DOMException('The run has ended.', 'AbortError');
    const { gpu, config, table, tuning, halves, experiment } = this;
    const matrices = truncatedMatrices(experiment, config);
    const mark = () => ({ version: this.version, step: this.last });
    const options = { config, table, tuning, halves, weights: this.evaluated, matrices, mark, workspace: this.rank.workspace };
    this.truncating = Truncation.create(gpu, options, this.bench);
    return this.truncating;
  }

  /** See `Validation.bench`; undefined before `attach`. */
  get bench(): TestBench | undefined {
    return this.validation.bench;
  }
  /** The last step submitted. */
  get submitted(): number {
    return this.last;
  }

  /** The arena as one array, for export. */
  readParameters(): Promise<Float32Array> {
    return this.gpu.readFloats(this.weights);
  }

  /**
   * Replaces the weights; the moments and the regularizer start anew. Factors are chosen so that their products are the weights.
   * Resolves to the share of their energy that the factors can hold: below 1 only where LoRA's rank is too small for them.
   */
  async writeParameters(arena: Float32Array): Promise<number> {
    const { factorization } = this;
    const imported = factorization && (await importFactors(this.gpu, factorization.layout, arena));
    this.version++;
    this.gpu.write(this.views.params, imported?.trained ?? arena);
    factorization?.compose();
    this.restartAverage();
    this.adam.reset();
    if (this.views.scaling) resetLossScale(this.gpu, this.views.scaling);
    this.rank.reset();
    return imported?.kept ?? 1;
  }

  get snapshotting(): boolean {
    return this.parts.snapshots.busy;
  }
  takeSnapshot(step: number): Promise<Snapshot> {
    return this.parts.snapshots.take(step);
  }
  /** Layout of what is trained: the parameters, or factors in the place of some of them. */
  get trained(): ArenaTable {
    return this.factorization?.layout.trained ?? this.table;
  }
  get tables(): RunTables {
    return { trained: this.trained, weights: this.table };
  }
  /** Name and bytes of what a snapshot holds, in its order. */
  get stateLayout(): StateLayout {
    return this.parts.snapshots.layout;
  }
  /** @throws Error when the snapshot is of another model or method */
  restore(snapshot: Snapshot): void {
    this.version++;
    this.last = snapshot.step;
    // First: it makes room for what larger sketches have kept.
    this.rank.restoreState(snapshot.regularizer);
    this.parts.snapshots.restore(snapshot);
    this.factorization?.compose();
    this.gpu.write(this.views.guard, new Uint8Array(this.views.guard.size));
  }

  /**
   * After a halt at `step`: what went wrong first, see `badTensor.ts`. The steps that were in flight behind it have overwritten what it left,
   * so it is done once more; while the guard is set nothing is updated.
   */
  async firstBadTensor(step?: number): Promise<BadTensor | undefined> {
    const { model, gathered } = await this.ownKit();
    if (step !== undefined && gathered.length > 0) await this.repeat(step, gathered);
    const { params, grads } = this.views;
    return firstBadTensor(this.gpu, { trained: this.trained, params, grads, logits: model.logits });
  }

  /** The forward and backward pass of step t, which has halted the run, on its own batch again. */
  private async repeat(t: number, programs: readonly Program[]): Promise<void> {
    const { mixup, cutmix, seed } = this.experiment.train;
    await this.parts.flight.drained();
    this.writeState(t, drawMix({ mixup, cutmix }, seed, t, this.config.imageSize));
    await this.parts.flight.submit(programs, [this.views.metrics], 1);
  }

  /** The part of the weights that holds one parameter. */
  parameter(name: string): View | undefined {
    const entry = this.table.byName.get(name);
    return entry && slice(this.weights, entry.offset, entry.length);
  }

  /** Waits for the steps in flight, then frees every buffer of the run. */
  async dispose(): Promise<void> {
    this.ended = true;
    await Promise.allSettled([this.parts.flight.drained(), this.validation.compiled()]);
    await this.truncating?.then((truncation) => truncation.dispose()).catch(() => undefined);
    this.validation.close();
    for (const kit of this.kits.values()) disposeKit(kit);
    disposeParts(this.parts);
  }
}
