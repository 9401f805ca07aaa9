import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';
import { recordCrossEntropy } from '../ops/crossEntropy';
import { recordLinear, type RecordLinear } from '../ops/linear';
import { TransformerBlock } from './layers/block';
import { EmbedLayer } from './layers/embed';
import { HeadLayer } from './layers/head';
import { arenaOf, pendingSums, stageOf, type Layer, type LayerContext, type WatchAttention } from './layers/layer';
import { gradientStage, type GradientWindow } from './gradientStage';
import { activationTable, lodge, type BufferItem, type VitPlan, type VitTuning } from './memory';
import { vitParameters, type ParameterTable, type VitConfig } from './parameters';
import { vitShape } from './shape';

export interface VitModelOptions {
  readonly config: VitConfig;
  readonly batch: number;
  readonly tuning: VitTuning;
  /** Keeps the activations and allocates the gradients that `recordBackward` needs. */
  readonly training: boolean;
  /** See `VitPlan`. */
  readonly allTokens?: boolean;
  readonly recompute?: boolean;
  readonly halves?: boolean;
  readonly guests?: readonly BufferItem[];
  /**
   * A model whose buffers this one uses as far as they serve, to be disposed of later than this one. What either leaves behind is
   * lost once the other runs, except logits, losses and hits; each must be queued from its input on in one go.
   */
  readonly host?: VitModel;
}

/** See `recordLoss`. */
export interface LossOptions {
  readonly meanOf?: number | undefined;
  readonly mix?: View | undefined;
  readonly scaling?: View | undefined;
}

/**
 * A Vision Transformer with its activations, all allocated here; parameters and gradients are arenas of the caller
 * (layout: `table`). Forward, loss and backward are recorded once and replayed; nothing is allocated later.
 */
export class VitModel {
  readonly table: ParameterTable;
  /** f32 [B, ch, S, S], normalised; filled by the caller. */
  readonly images: View;
  /** i32 [B], classes from 0; filled by the caller. */
  readonly labels: View;
  readonly inputShape: { readonly imageSize: number; readonly channels: number };
  /** f32 [B, numClasses]. */
  readonly logits: View;
  /** f32 [B]. */
  readonly losses: View;
  /** u32 [B]: 1 where the largest logit is the label's. */
  readonly correct: View;
  /** The buffers the model owns, and their bytes. */
  readonly items: readonly BufferItem[];
  readonly bytes: number;

  private readonly plan: VitPlan;
  private readonly context: LayerContext;
  private readonly layers: readonly Layer[];
  private readonly owned: readonly View[];
  /** Its own buffers by name, for a model that is its guest. */
  private readonly buffers: ReadonlyMap<string, View>;
  private readonly views: ReadonlyMap<string, View>;
  /** Of the forward pass that is being recorded. */
  private linear: RecordLinear = recordLinear;
  private watch: WatchAttention | undefined;

  /** @throws OutOfMemoryError when a buffer is larger than the device allows; wrap in `Gpu.guard` for the rest. */
  constructor(
    private readonly gpu: Gpu,
    o: VitModelOptions,
  ) {
    const { host, ...plan } = o;
    this.plan = plan;
    this.table = vitParameters(plan.config);
    const { items, views } = activationTable(plan);
    const lent = host?.lend(items);
    const owned = new Map<string, View>();
    try {
      for (const { name, elements } of items) if (!lent?.has(name)) owned.set(name, gpu.buffers.allocate(name, elements * 4));
    } catch (error) {
      for (const view of owned.values()) gpu.buffers.free(view);
      throw error;
    }
    this.buffers = owned;
    this.items = items.filter(({ name }) => owned.has(name));
    this.owned = [...owned.values()];
    this.bytes = this.owned.reduce((sum, view) => sum + view.size, 0);
    const bufferOf = (name: string): View => owned.get(name) ?? lent!.get(name)!;
    this.views = new Map([...views].map(([name, { buffer, first, elements }]) => [name, slice(bufferOf(buffer), first, elements)]));
    const context: LayerContext = (this.context = {
      plan,
      shape: vitShape(plan.config),
      tuning: o.tuning,
      table: this.table,
      view: (name) => this.tap(name),
      linear: (recorder, tuning, args) => this.linear(recorder, tuning, args),
      watch: (recorder, block, at) => this.watch?.(recorder, block, at),
    });
    this.layers = [
      new EmbedLayer(context),
      ...Array.from({ length: plan.config.depth }, (_, i) => new TransformerBlock(context, i)),
      new HeadLayer(context),
    ];
    this.images = this.tap('images');
    this.inputShape = { imageSize: plan.config.imageSize, channels: plan.config.inChannels };
    this.labels = this.tap('labels');
    this.logits = this.tap('logits');
    this.losses = this.tap('losses');
    this.correct = this.tap('correct');
  }

  /**
   * images → logits. `params` is an arena laid out by `table`; `linear` may compute linear layers from other weights, and `watch` may
   * read what attention left.
   */
  recordForward(recorder: Recorder, params: View, linear: RecordLinear = recordLinear, watch?: WatchAttention): void {
    this.linear = linear;
    this.watch = watch;
    const arena = arenaOf(this.table, params);
    for (const layer of this.layers) layer.recordForward(recorder, arena);
  }

  /**
   * logits → losses, correct and, when training, the gradient of the mean loss, over `meanOf` images where the batch is a part of
   * more. With `mix`, a StepState, labels are mixed with those of the flipped batch as the images were. With `scaling`, a LossScale,
   * the gradient, and every one that the backward pass makes of it, is that many times larger.
   */
  recordLoss(recorder: Recorder, labelSmoothing: number, o: LossOptions = {}): void {
    const { batch, config, training } = this.plan;
    const { scaling, ...rest } = o;
    recordCrossEntropy(recorder, {
      rows: batch,
      classes: config.numClasses,
      labelSmoothing,
      logits: this.logits,
      labels: this.labels,
      losses: this.losses,
      correct: this.correct,
      ...rest,
      dLogits: training ? this.tap('dLogits') : undefined,
      scaling: training ? scaling : undefined,
    });
  }

  /**
   * Writes the gradient of every parameter into `grads`, an arena of its own buffer laid out by `table`; padding is left alone.
   * With `complete`, `grads` is a `gradientStage`, zero before the first pass: it is called behind each window of it, to record what takes
   * that over before the next layer writes there.
   * @throws Error when the model was not made for training.
   */
  recordBackward(recorder: Recorder, params: View, grads: View, complete?: (window: GradientWindow) => void): void {
    if (!this.plan.training) throw new Error('this model keeps no activations for a backward pass');
    const weights = arenaOf(this.table, params);
    const windows = complete ? gradientStage(this.plan).windows : [];
    const gradients = complete ? stageOf(this.table, windows, grads) : arenaOf(this.table, grads);
    const sums = pendingSums(this.context);
    for (let i = this.layers.length - 1; i >= 0; i--) {
      this.layers[i]!.recordBackward(recorder, weights, gradients, sums);
      // Sums of the first block may wait for the embedding.
      if (i !== 1) complete?.(windows[i]!);
      if (i === 0) complete?.(windows[1]!);
    }
  }

  /**
   * An activation by name: `embed`, `features`, `logits`, and per block `blocks.i.` with `norm1`, `qkv`, `lse`, `heads`, `mid`,
   * `norm2`, `pre`, `act`, `out`. Several share a buffer and hold what was written last: without training most do, with it `norm1`,
   * `norm2` and `act`, and with recomputation all but `embed` and `out`. The backward pass leaves `act` in the place of `pre`.
   * With `halves`, those of `HALVES` are stored as such.
   * @throws Error for an unknown name.
   */
  tap(name: string): View {
    const view = this.views.get(name);
    if (!view) throw new Error(`the model has no activation ${name}`);
    return view;
  }

  /**
   * Rooms for some of `items`, each in a buffer of its own, for use while this model rests: from the end of a backward pass to the next
   * forward pass. A pass overwrites what is there, and the images and what `recordLoss` leaves are never touched by it. Those that find
   * no room have no entry.
   */
  lend(items: readonly BufferItem[]): ReadonlyMap<string, View> {
    const sizes = new Map(items.map(({ name, elements }) => [name, elements]));
    return new Map([...lodge(items, this.items)].map(([name, buffer]) => [name, slice(this.buffers.get(buffer)!, 0, sizes.get(name)!)]));
  }

  dispose(): void {
    for (const view of this.owned) this.gpu.buffers.free(view);
  }
}
