import { readMetrics } from '../../../kernels/metrics/metrics';
import { canFeed } from '../../../kernels/gather/augment';
import { NO_MIX, packStepState, type Mix } from '../../../kernels/stepState';
import { ConfigError, type Experiment } from '../../protocol/experiment';
import type { Batch, MatrixSpectrum, StepRecord } from '../../protocol/messages';
import { Factorization } from '../factorization/factorization';
import { importFactors } from '../factorization/import';
import { initialFactors } from '../factorization/initial';
import type { ArenaTable } from '../factorization/layout';
import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Program } from '../gpu/recorder';
import type { PhaseTimes } from '../gpu/timestamps';
import type { Tolerance } from '../linalg/svdBatch';
import type { VitTuning } from '../model/memory';
import { initialParameters, vitParameters, type ParameterTable, type VitConfig } from '../model/parameters';
import { VitModel } from '../model/vit';
import { GpuDataset } from '../ops/gather';
import { Stage } from '../ops/stage';
import { tuningFor } from './tuning';
import { Adam } from '../optim/adam';
import { resetLossScale } from '../optim/lossScale';
import { drawMix } from '../optim/mix';
import { learningRate } from '../optim/schedule';
import type { RunTables, StateLayout } from './checkpoint';
import { firstBadTensor, type BadTensor } from './badTensor';
import { Evaluator } from './evaluator';
import { Flight } from './flight';
import { checkBatch, gradientsOf, predictionOf } from './handBatch';
import { disposeKit, makeKit, recipeOf, trainingModel, type Kit } from './kit';
import { planFactors, planMatrices, techniqueOf } from './matrices';
import { truncatedMatrices } from './plan';
import { RankControl } from './rankControl';
import { evaluationBatch, storesHalves } from './recipe';
import { Snapshotter, type Snapshot } from './snapshot';
import { StepViews, joinParts, recordGather } from './step';
import { Truncation, type TestBench } from './truncation';

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
  private evaluator: Evaluator | undefined;
  private built: Promise<void> = Promise.resolve();
  /** The evaluation under way; its results are read back one at a time. */
  private evaluating: Promise<void> | undefined;
  private evalModel: VitModel | undefined;
  private data: RunData | undefined;
  private truncating: Promise<Truncation> | undefined;
  private ended = false;
  /** Changes with the weights. */
  private version = 0;
  /** The last step submitted. */
  private last = 0;

  private constructor(
    readonly gpu: Gpu,
    /** Live fields of it change while the run goes on. */
    public experiment: Experiment,
    readonly config: VitConfig,
    readonly table: ParameterTable,
    readonly tuning: VitTuning,
    readonly views: StepViews,
    readonly adam: Adam,
    readonly rank: RankControl,
    private readonly flight: Flight,
    private readonly snapshots: Snapshotter,
    /** Composes the weights from what is trained; absent where the weights themselves are. */
    readonly factorization: Factorization | undefined,
    /** Of the run's own batches; decompositions work in its memory while it rests. */
    private readonly model: VitModel,
  ) {}

  /** Allocates everything and compiles what a step needs. @throws OutOfMemoryError, ShaderError */
  static async create(gpu: Gpu, experiment: Experiment, config: VitConfig, general: VitTuning): Promise<Run> {
    const { batchSize, accumulate } = experiment.train;
    const tuning = await tuningFor(gpu, general, {
      ...{ config, batch: batchSize / accumulate, training: true },
      halves: storesHalves(experiment),
    });
    const table = vitParameters(config);
    const matrices = planMatrices(experiment, config);
    const layout = planFactors(experiment, config, matrices);
    const model = await trainingModel({ gpu, experiment, config, tuning }, batchSize / accumulate);
    const allocate = (): Run => {
      const { train, method } = experiment;
      const elements = (layout?.trained ?? table).total;
      const { regularizer, inLoss } = techniqueOf(method);
      const views = new StepViews(gpu, elements, {
        decoupled: regularizer === 'q3r' && !inLoss,
        averaged: train.emaDecay > 0 ? table.total : 0,
        scaled: storesHalves(experiment),
      });
      const initial = initialParameters(config, table, train.seed);
      gpu.write(views.params, layout ? initialFactors(layout, initial, train.seed) : initial);
      const factorization = layout && new Factorization(gpu, layout, views);
      const adam = new Adam(gpu, { elements, decay: train.optimizer === 'adam' ? 'l2' : 'decoupled' });
      const weights = factorization?.weights ?? views.params;
      const lend = model.lend.bind(model);
      const rank = new RankControl(gpu, { experiment, matrices, params: views.params, weights, layout, lend });
      const flight = new Flight(gpu, views.metrics.size + rank.statusBytes);
      const extra = [factorization?.weights, views.ema, views.scaling].filter((view) => view !== undefined);
      const snapshots = new Snapshotter(gpu, [views.params, adam.m, adam.v, ...extra, ...rank.stateViews], () => rank.saveState());
      return new Run(gpu, experiment, config, table, tuning, views, adam, rank, flight, snapshots, factorization, model);
    };
    const run = await gpu.guard('the training run', allocate).catch((error: unknown) => {
      model.dispose();
      throw error;
    });
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
    const kit = await this.ownKit();
    try {
      await this.connect(data, kit);
      this.data = data;
    } catch (error) {
      this.disconnect(kit);
      throw error;
    }
  }

  private async connect(data: RunData, kit: Kit): Promise<void> {
    const { gpu, views, config, experiment } = this;
    const { batchSize, accumulate, augment } = experiment.train;
    const recipe = recipeOf(experiment);
    const { channels } = data.train.shape;
    if (!canFeed(channels, config.inChannels))
      throw new ConfigError(
        'model.inChannels',
        `Image channels must be ${channels}, as the data set's images have, and not ${config.inChannels}.`,
      );
    const { model } = kit;
    const rows = batchSize / accumulate;
    const needs = { from: data.train.shape, to: model.inputShape, batch: rows, strong: augment === 'strong' };
    const stage = (kit.stage = await gpu.guard('augmented images', () => Stage.create(gpu, needs)));
    const part = (i: number) => recordGather(gpu, { views, model, dataset: data.train, batch: rows, first: i * rows, stage, recipe });
    kit.gathers = await Promise.all(Array.from({ length: accumulate }, (_, i) => part(i)));
    kit.gathered = kit.accumulation ? [joinParts(gpu, kit.step, kit.gathers, kit.parts)] : [...kit.gathers, kit.step.program];
    const batch = Math.min(evaluationBatch(this.experiment, config), data.test.count);
    await this.gpu.guard('the validation pass', () => {
      this.evalModel = new VitModel(gpu, { config, batch, tuning: this.tuning, training: false, halves: this.halves, host: model });
      this.evaluator = new Evaluator(this.gpu, this.evalModel, batch, data.test);
    });
    this.built = this.evaluator!.build(this.evaluated);
    this.built.catch(() => undefined);
  }

  /** Frees what `connect` has made. */
  private disconnect(kit: Kit): void {
    for (const program of kit.gathers) program.dispose();
    kit.stage?.dispose();
    this.evaluator?.dispose();
    this.evalModel?.dispose();
    [kit.gathers, kit.gathered, kit.stage, this.evaluator, this.evalModel] = [[], [], undefined, undefined, undefined];
  }

  /** The kit of the run's own batches. */
  private ownKit(): Promise<Kit> {
    const { batchSize, accumulate } = this.experiment.train;
    return this.kit(batchSize, accumulate, this.model);
  }

  private async kit(batch: number, parts: number, model?: VitModel): Promise<Kit> {
    const key = `${batch}/${parts}`;
    const kit = this.kits.get(key) ?? (await makeKit(this, batch, parts, model));
    this.kits.set(key, kit);
    return kit;
  }

  /** Resolves when step t may be submitted: a read-back slot is free, and what its refresh depends on has come back. */
  async ready(t: number): Promise<void> {
    await this.flight.ready();
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
    const landed = this.flight.submit([...refresh, ...programs], [this.views.metrics, ...this.rank.statusViews], parts);
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
    const [status] = this.rank.statusViews;
    if (status) this.rank.observe(this.gpu.read(status));
    await this.rank.ready(1, 1);
  }

  /** Writes the scalars of step t where its kernels read them; returns the epochs behind it. */
  private writeState(t: number, mix: Mix): number {
    const { train, method } = this.experiment;
    const trainCount = this.data?.train.count ?? 1;
    const seen = (t - 1) * train.batchSize;
    this.gpu.write(
      this.views.state,
      packStepState({
        step: t,
        lr: learningRate(train, t),
        beta1: train.beta1,
        beta2: train.beta2,
        adamEps: train.adamEps,
        weightDecay: train.weightDecay,
        lambda: method.lambda,
        gradClip: train.gradClip,
        seed: train.seed,
        epoch: Math.floor(seen / trainCount),
        position: seen % trainCount,
        trainCount,
        augment: train.augment,
        mix,
        emaDecay: train.emaDecay,
      }),
    );
    return seen / trainCount;
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
    return this.evaluator !== undefined;
  }

  /** Resolves when a validation can be queued at once. @throws ShaderError */
  async evaluable(): Promise<void> {
    await this.built;
    while (this.evaluating) await this.evaluating;
  }

  /**
   * Mean loss and accuracy over the first `count` test images, of the weights as they are when this is called; while another is under
   * way, or it is not compiled yet, as they are when its turn comes, see `evaluable`.
   */
  async evaluate(count: number): Promise<{ loss: number; accuracy: number; count: number }> {
    const { evaluator } = this;
    if (!evaluator) throw new Error('the run has no data to validate on');
    // Another that waited may have begun in between.
    while (!evaluator.built || this.evaluating) await this.evaluable();
    const result = evaluator.run(count);
    const done = () => void (this.evaluating = undefined);
    this.evaluating = result.then(done, done);
    return result;
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

  /** The model that validates, with its images; undefined before `attach`. Its owner's work on it is always queued in one go. */
  get bench(): TestBench | undefined {
    const { data, evalModel } = this;
    return data && evalModel && { model: evalModel, batch: evalModel.labels.size / 4, dataset: data.test };
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
    return this.snapshots.busy;
  }
  takeSnapshot(step: number): Promise<Snapshot> {
    return this.snapshots.take(step);
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
    return this.snapshots.layout;
  }
  /** @throws Error when the snapshot is of another model or method */
  restore(snapshot: Snapshot): void {
    this.version++;
    this.last = snapshot.step;
    this.snapshots.restore(snapshot);
    this.factorization?.compose();
    this.rank.restoreState(snapshot.regularizer);
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
    await this.flight.drained();
    this.writeState(t, drawMix({ mixup, cutmix }, seed, t, this.config.imageSize));
    await this.flight.submit(programs, [this.views.metrics], 1);
  }

  /** The part of the weights that holds one parameter. */
  parameter(name: string): View | undefined {
    const entry = this.table.byName.get(name);
    return entry && slice(this.weights, entry.offset, entry.length);
  }

  /** Waits for the steps in flight, then frees every buffer of the run. */
  async dispose(): Promise<void> {
    this.ended = true;
    await Promise.allSettled([this.flight.drained(), this.built]);
    await this.truncating?.then((truncation) => truncation.dispose()).catch(() => undefined);
    this.evaluator?.dispose();
    this.evalModel?.dispose();
    for (const kit of this.kits.values()) disposeKit(kit);
    this.snapshots.dispose();
    this.flight.dispose();
    this.rank.dispose();
    this.model.dispose();
    this.factorization?.dispose();
    this.adam.dispose();
    this.views.dispose();
  }
}
