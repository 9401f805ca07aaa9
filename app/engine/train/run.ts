import { readMetrics } from '../../../kernels/metrics/metrics';
import { packStepState } from '../../../kernels/stepState';
import type { Experiment } from '../../protocol/experiment';
import type { Batch, MatrixSpectrum, StepRecord } from '../../protocol/messages';
import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Program } from '../gpu/recorder';
import type { PhaseTimes } from '../gpu/timestamps';
import type { Tolerance } from '../linalg/svdBatch';
import { initialParameters, vitParameters, type ParameterTable, type VitConfig } from '../model/parameters';
import { VitModel } from '../model/vit';
import type { GpuDataset } from '../ops/gather';
import type { MatmulTuning } from '../ops/matmul';
import { Adam } from '../optim/adam';
import { countNonFinite } from '../optim/nonFinite';
import { learningRate } from '../optim/schedule';
import { Evaluator } from './evaluator';
import { Flight } from './flight';
import { checkBatch, gradientsOf, predictionOf } from './handBatch';
import { planMatrices, truncatedMatrices } from './plan';
import { RankControl } from './rankControl';
import { Snapshotter, type Snapshot } from './snapshot';
import { StepViews, recordGather, recordStep } from './step';
import { Truncation } from './truncation';

/** What one step leaves behind. */
export interface StepResult {
  readonly record: StepRecord;
  /** The step's loss or gradient was not finite; the weights were left as they were. */
  readonly halted: boolean;
  readonly times: PhaseTimes | null;
}

/** A model with the programs that train it; one for the run's batch size, others for batches given by hand. */
interface Kit {
  readonly model: VitModel;
  readonly step: Program;
  gather: Program | undefined;
}

/** The data of a run, on the GPU. */
export interface RunData {
  readonly train: GpuDataset;
  readonly test: GpuDataset;
}

/** Most images in one pass of an evaluation. */
const EVAL_BATCH = 256;

/**
 * One training run on one device: weights, optimizer, regularizer and every program, allocated once by `create`.
 * Holds no history and no timers; `Trainer` drives it.
 */
export class Run {
  private readonly kits = new Map<number, Kit>();
  private evaluator: Evaluator | undefined;
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
    private readonly tuning: MatmulTuning,
    readonly views: StepViews,
    private readonly adam: Adam,
    readonly rank: RankControl,
    private readonly flight: Flight,
    private readonly snapshots: Snapshotter,
  ) {}

  /** Allocates and compiles everything. @throws OutOfMemoryError, ShaderError */
  static async create(gpu: Gpu, experiment: Experiment, config: VitConfig, tuning: MatmulTuning): Promise<Run> {
    const table = vitParameters(config);
    const matrices = planMatrices(experiment, config);
    const run = await gpu.guard('the training run', () => {
      const { train, method } = experiment;
      const views = new StepViews(gpu, table.total, method.name === 'adamq3r');
      gpu.write(views.params, initialParameters(config, table, train.seed));
      const adam = new Adam(gpu, { elements: table.total });
      const rank = new RankControl(gpu, { experiment, matrices, params: views.params });
      const flight = new Flight(gpu, views.metrics.size + rank.statusBytes);
      const snapshots = new Snapshotter(gpu, [views.params, adam.m, adam.v, ...rank.stateViews], () => rank.saveState());
      return new Run(gpu, experiment, config, table, tuning, views, adam, rank, flight, snapshots);
    });
    try {
      await run.kit(experiment.train.batchSize);
      await run.rank.build();
      return run;
    } catch (error) {
      await run.dispose();
      throw error;
    }
  }

  /** Gives the run its data set; before the first gathered step. The caller keeps ownership of the data. */
  async attach(data: RunData): Promise<void> {
    if (this.data) return;
    const { batchSize, evalCount } = this.experiment.train;
    const kit = await this.kit(batchSize);
    kit.gather = await recordGather(this.gpu, this.views, kit.model, data.train, batchSize);
    const batch = Math.min(EVAL_BATCH, Math.max(1, evalCount), data.test.count);
    await this.gpu.guard('the validation pass', () => {
      this.evalModel = new VitModel(this.gpu, { config: this.config, batch, tuning: this.tuning, training: false });
      this.evaluator = new Evaluator(this.gpu, this.evalModel, batch, data.test);
    });
    await this.evaluator!.build(this.evaluated);
    this.data = data;
  }

  private async kit(batch: number): Promise<Kit> {
    let kit = this.kits.get(batch);
    if (!kit) {
      const { gpu, config, tuning, views, adam, experiment } = this;
      const model = await gpu.guard(
        `the activations of ${batch} images`,
        () => new VitModel(gpu, { config, batch, tuning, training: true }),
      );
      const step = await recordStep(gpu, {
        views,
        model,
        batch,
        labelSmoothing: experiment.train.labelSmoothing,
        adam,
        q3r: this.rank.q3r,
        inLoss: experiment.method.name === 'q3r',
      });
      kit = { model, step, gather: undefined };
      this.kits.set(batch, kit);
    }
    return kit;
  }

  /** Resolves when step t may be submitted: a read-back slot is free, and what its refresh depends on has come back. */
  async ready(t: number): Promise<void> {
    await this.flight.ready();
    await this.rank.ready(t, this.experiment.method.reweightEvery);
  }

  /** Queues step t (from 1) on the next batch of the data set, before it returns; `ready(t)` has resolved. */
  submitStep(t: number, parts: number): Promise<StepResult> {
    const kit = this.kits.get(this.experiment.train.batchSize);
    if (!kit?.gather) throw new Error('the run has no data');
    return this.submit(t, kit, [kit.gather], parts);
  }

  /** Step t on a batch given by hand, of any size. */
  async submitBatch(t: number, batch: Batch): Promise<StepResult> {
    checkBatch(this.config, batch.images, batch.labels);
    const kit = await this.kit(batch.labels.length);
    await this.ready(t);
    this.gpu.write(kit.model.images, batch.images);
    this.gpu.write(kit.model.labels, batch.labels);
    return this.submit(t, kit, [], 1);
  }

  private submit(t: number, kit: Kit, before: readonly Program[], parts: number): Promise<StepResult> {
    const { train, method } = this.experiment;
    const trainCount = this.data?.train.count ?? 1;
    const seen = (t - 1) * train.batchSize;
    const lr = learningRate(train, t);
    const refresh = this.rank.refreshFor(t, method.reweightEvery);
    this.gpu.write(
      this.views.state,
      packStepState({
        step: t,
        lr,
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
      }),
    );
    this.version++;
    this.last = t;
    const landed = this.flight.submit([...refresh, ...before, kit.step], [this.views.metrics, ...this.rank.statusViews], parts);
    if (refresh.length > 0) this.rank.observe(landed.then(({ data }) => data.slice(this.views.metrics.size)));
    return landed.then(({ data, times }) => {
      const { loss, accuracy, gradNorm, regularizer, halted } = readMetrics(data);
      return { record: { step: t, epoch: seen / trainCount, loss, regularizer, accuracy, lr, gradNorm }, halted, times };
    });
  }

  /**
   * The model's weights in the layout of `table`, current after every step: what the forward pass, the spectra, truncation and
   * export read. The trained parameters themselves, unless a technique composes the weights from factors.
   */
  get weights(): View {
    return this.views.params;
  }
  /** What validation, truncation and prediction use: the running average of the weights where there is one, else the weights. */
  get evaluated(): View {
    return this.weights;
  }

  get canEvaluate(): boolean {
    return this.evaluator !== undefined;
  }

  /** Mean loss and accuracy over the first `count` test images, of the weights as they are when this is called. */
  evaluate(count: number): Promise<{ loss: number; accuracy: number; count: number }> {
    if (!this.evaluator) throw new Error('the run has no data to validate on');
    return this.evaluator.run(count);
  }

  /** All singular values of every matrix, with the regularizer's figures. */
  spectra(tolerance: Tolerance = 'fine'): Promise<MatrixSpectrum[]> {
    return this.rank.spectra(this.experiment.method.lambda, tolerance);
  }

  /** Takes over live fields; the caller has made sure that no other differs. */
  setLive(experiment: Experiment): void {
    const before = this.experiment.method.targetRank;
    this.experiment = experiment;
    if (before !== experiment.method.targetRank) this.rank.setTargetRanks(planMatrices(experiment, this.config));
  }

  /** Loss, logits and every gradient (as an arena) of a batch given by hand; nothing is changed. @throws RangeError */
  gradients(batch: Batch): Promise<{ loss: number; logits: Float32Array; grads: Float32Array }> {
    const { gpu, config, table, tuning } = this;
    const { labelSmoothing } = this.experiment.train;
    checkBatch(config, batch.images, batch.labels);
    return gradientsOf(gpu, { config, table, tuning, params: this.weights, labelSmoothing, batch });
  }

  /** Logits [B, numClasses] of normalised images. @throws RangeError */
  predict(images: Float32Array): Promise<Float32Array> {
    const { gpu, config, tuning } = this;
    return predictionOf(gpu, { config, tuning, params: this.evaluated, images });
  }

  /** Truncation of the evaluated weights; made at the first call, and again once there are data. @throws AbortError after `dispose` */
  async truncation(): Promise<Truncation> {
    const before = await this.truncating?.catch(() => undefined);
    if (this.ended) throw new DOMException('The run has ended.', 'AbortError');
    if (before && (before.canEvaluate || !this.data)) return before;
    await before?.dispose();
    if (this.ended) throw new DOMException('The run has ended.', 'AbortError');
    const { gpu, config, table, tuning, data, evalModel, experiment } = this;
    const matrices = truncatedMatrices(experiment, config);
    const mark = () => ({ version: this.version, step: this.last });
    const options = { config, table, tuning, weights: this.evaluated, matrices, mark, workspace: this.rank.workspace };
    const bench = data && evalModel && { model: evalModel, batch: evalModel.labels.size / 4, dataset: data.test };
    this.truncating = Truncation.create(gpu, options, bench);
    return this.truncating;
  }

  /** The arena as one array, for export. */
  readParameters(): Promise<Float32Array> {
    return this.gpu.readFloats(this.weights);
  }

  /** Replaces the weights; the moments and the regularizer start anew. */
  writeParameters(arena: Float32Array): void {
    this.version++;
    this.gpu.write(this.views.params, arena);
    this.adam.reset();
    this.rank.reset();
  }

  get snapshotting(): boolean {
    return this.snapshots.busy;
  }
  takeSnapshot(step: number): Promise<Snapshot> {
    return this.snapshots.take(step);
  }
  restore(snapshot: Snapshot): void {
    this.version++;
    this.last = snapshot.step;
    this.snapshots.restore(snapshot);
    this.rank.restoreState(snapshot.regularizer);
    this.gpu.write(this.views.guard, new Uint8Array(this.views.guard.size));
  }

  /** After a halt: the first parameter with a value that is not finite, else the first gradient, else what the forward pass made. */
  async firstBadTensor(): Promise<{ name: string; count: number } | undefined> {
    const segments = this.table.entries.map(({ offset, length }) => ({ offset, length }));
    const search = async (arena: View, prefix: string): Promise<{ name: string; count: number } | undefined> => {
      const counts = await countNonFinite(this.gpu, arena, segments);
      const i = counts.findIndex((n) => n > 0);
      return i < 0 ? undefined : { name: prefix + this.table.entries[i]!.name, count: counts[i]! };
    };
    const { model } = await this.kit(this.experiment.train.batchSize);
    const logits = async (): Promise<{ name: string; count: number } | undefined> => {
      const [count = 0] = await countNonFinite(this.gpu, model.logits, [{ offset: 0, length: model.logits.size / 4 }]);
      return count > 0 ? { name: 'logits', count } : undefined;
    };
    return (await search(this.views.params, '')) ?? (await logits()) ?? (await search(this.views.grads, 'gradient of '));
  }

  /** The part of the arena that holds one parameter. */
  parameter(name: string): View | undefined {
    const entry = this.table.byName.get(name);
    return entry && slice(this.views.params, entry.offset, entry.length);
  }

  /** Waits for the steps in flight, then frees every buffer of the run. */
  async dispose(): Promise<void> {
    this.ended = true;
    await this.flight.drained();
    await this.truncating?.then((truncation) => truncation.dispose()).catch(() => undefined);
    for (const { model, step, gather } of this.kits.values()) {
      gather?.dispose();
      step.dispose();
      model.dispose();
    }
    this.evaluator?.dispose();
    this.evalModel?.dispose();
    this.snapshots.dispose();
    this.flight.dispose();
    this.rank.dispose();
    this.adam.dispose();
    this.views.dispose();
  }
}
