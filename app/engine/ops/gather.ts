import { canFeed, colour, drawStrong, mixImages, resample, resampleErase, warp } from '../../../kernels/gather/augment';
import { CROP_PAD, MAX_CHANNELS, MAX_SHARDS, gatherSequential, gatherTrain } from '../../../kernels/gather/gather';
import { ceilDiv, foldGrid, type KernelSpec } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';
import type { InputShape, Stage } from './stage';

/** A data set in CPU memory: one byte per pixel and channel. */
export interface DatasetSource {
  /** [count, channels, imageSize, imageSize]. */
  readonly images: Uint8Array;
  /** [count], classes counted from 0. */
  readonly labels: Uint8Array | Uint16Array;
  readonly count: number;
  readonly channels: number;
  readonly imageSize: number;
  /** Per channel, of pixel values in [0, 1]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** False where a mirrored image would be of another class; augmentation then never flips. */
  readonly flip?: boolean;
  /** Names the GPU buffers. */
  readonly label: string;
}

/** Where a batch goes. */
export interface BatchTarget {
  /** f32 [batch, channels, imageSize, imageSize] of `shape`, normalised. */
  readonly images: View;
  /** i32 [batch]. */
  readonly labels: View;
  readonly batch: number;
  /** What the model takes; as the data set's images are unless given. */
  readonly shape?: InputShape;
  /** Where `Stage.create` makes one for these sizes. */
  readonly stage?: Stage | undefined;
}

/** A training batch, or one part of it. */
export interface TrainTarget extends BatchTarget {
  /** StepState. */
  readonly state: View;
  /** First image of this part within the batch. */
  readonly first?: number;
  /** Strong augmentation, whatever the StepState says. */
  readonly strong?: boolean;
  /** Mixes the images as the StepState says. */
  readonly mix?: boolean;
}

/** The data set does not fit the device's buffers. */
export class DatasetTooLargeError extends Error {
  constructor(
    readonly label: string,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(`${label} has ${mib(bytes)} of pixels; this device holds at most ${mib(limit)} of one data set.`);
    this.name = 'DatasetTooLargeError';
  }
}
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** Bytes as they are: what a stage holds. */
const RAW = { scale0: 1, scale1: 1, scale2: 1, scale3: 1, shift0: 0, shift1: 0, shift2: 0, shift3: 0 };
/** Bytes handed to the queue at once: larger writes make the browser hold a second copy of the whole set. */
const PIECE = 8 * 2 ** 20;

/** A data set resident on the GPU as bytes, cut into up to four buffers of whole images where one binding cannot hold it. */
export class GpuDataset {
  private constructor(
    private readonly gpu: Gpu,
    readonly count: number,
    /** Of the images as they are stored. */
    readonly shape: InputShape,
    private readonly shards: readonly View[],
    private readonly classes: View,
    private readonly params: Readonly<Record<string, number>>,
  ) {}

  /**
   * Copies the data set to the GPU. `shardBytes` lowers the size of a shard below the device's limit.
   * @throws DatasetTooLargeError when four shards do not hold it, OutOfMemoryError from the pool, RangeError when sizes disagree.
   */
  static upload(gpu: Gpu, source: DatasetSource, shardBytes = Infinity): GpuDataset {
    const { images, labels, count, channels, imageSize, mean, std, flip = true, label } = source;
    const pixels = channels * imageSize * imageSize;
    if (count < 1 || images.length !== count * pixels || labels.length !== count)
      throw new RangeError(`${label}: ${images.length} pixels and ${labels.length} labels for ${count} images of ${pixels}`);
    if (channels < 1 || channels > MAX_CHANNELS || mean.length < channels || std.length < channels)
      throw new RangeError(`${label}: ${channels} channels; 1 to ${MAX_CHANNELS} with a mean and a deviation each can be used`);
    const limit = Math.min(gpu.info.maxStorageBufferBindingSize, gpu.info.maxBufferSize, shardBytes);
    const perShard = Math.min(count, Math.floor(limit / pixels));
    if (perShard * MAX_SHARDS < count) throw new DatasetTooLargeError(label, images.length, perShard * MAX_SHARDS * pixels);

    const shards: View[] = [];
    for (let first = 0; first < count; first += perShard) {
      const part = images.subarray(first * pixels, Math.min(count, first + perShard) * pixels);
      shards.push(uploadBytes(gpu, `${label}.images${shards.length}`, part));
    }
    const params: Record<string, number> = { channels, size: imageSize, count, per_shard: perShard, pad: CROP_PAD, flip: flip ? 1 : 0 };
    for (let c = 0; c < MAX_CHANNELS; c++) {
      const deviation = std[c] ?? 1;
      params[`scale${c}`] = 1 / (255 * deviation);
      params[`shift${c}`] = -(mean[c] ?? 0) / deviation;
    }
    const classes = uploadBytes(gpu, `${label}.labels`, new Uint8Array(Uint16Array.from(labels).buffer));
    return new GpuDataset(gpu, count, { imageSize, channels }, shards, classes, params);
  }

  /** Compiles the kernel of `recordGather` ahead of the data. @throws ShaderError */
  static async compile(gpu: Gpu): Promise<void> {
    await gpu.pipelines.get(gatherTrain);
  }

  /** GPU bytes held. */
  get bytes(): number {
    return [...this.shards, this.classes].reduce((sum, view) => sum + view.size, 0);
  }

  /** The shuffled, augmented batch at the place that `state` names; its trainCount is at most `count`. @throws RangeError as below */
  recordGather(rec: Recorder, target: TrainTarget): void {
    const { state, images, batch, first = 0 } = target;
    if (target.strong) this.recordStrong(rec, target);
    else this.record(rec, gatherTrain, state, first, target);
    if (!target.mix) return;
    const { imageSize, channels } = target.shape ?? this.shape;
    const pixels = channels * imageSize ** 2;
    rec.dispatch(mixImages, {
      params: { batch, pixels, size: imageSize },
      buffers: [state, images],
      grid: foldGrid(ceilDiv((batch >> 1) * pixels, 64)),
      label: mixImages.name,
    });
  }

  /**
   * Samples [start, start + batch) in order, not augmented; past the end the last sample is repeated. `start` is one u32.
   * @throws RangeError when the model takes other channels, or the stage is missing
   */
  recordSequential(rec: Recorder, target: BatchTarget & { readonly start: View }): void {
    this.record(rec, gatherSequential, target.start, 0, target);
  }

  private record(rec: Recorder, spec: KernelSpec, head: View, first: number, target: BatchTarget): void {
    const { labels, batch, shape = this.shape } = target;
    const direct = shape.imageSize === this.shape.imageSize && shape.channels === this.shape.channels;
    const images = direct ? target.images : this.stageOf(target).pixels;
    const { params } = this;
    rec.dispatch(spec, {
      params: { ...params, ...(direct ? {} : RAW), batch, first },
      buffers: [head, ...this.data, images, labels],
      grid: foldGrid(batch),
      label: spec.name,
    });
    if (!direct) this.recordResample(rec, target);
  }

  private recordStrong(rec: Recorder, target: TrainTarget): void {
    const { state, labels, batch, first = 0, shape = this.shape } = target;
    const { pixels, draws } = this.stageOf(target);
    if (!draws) throw new RangeError('strong augmentation needs a stage with records');
    const { channels, size, per_shard, pad, flip } = this.params as Record<string, number>;
    rec.dispatch(drawStrong, {
      params: { batch, first, pad: pad!, flip: flip!, size: size!, out: shape.imageSize },
      buffers: [state, draws],
      grid: foldGrid(ceilDiv(batch, 64)),
      label: drawStrong.name,
    });
    rec.dispatch(warp, {
      params: { batch, channels: channels!, size: size!, per_shard: per_shard! },
      buffers: [draws, ...this.data, pixels, labels],
      grid: foldGrid(batch),
      label: warp.name,
    });
    rec.dispatch(colour, {
      params: { batch, channels: channels!, plane: size! ** 2 },
      buffers: [draws, pixels],
      grid: foldGrid(batch),
      label: colour.name,
    });
    this.recordResample(rec, target, draws);
  }

  /** Staged pixels to the model's input; with `draws`, their boxes are erased. */
  private recordResample(rec: Recorder, target: BatchTarget, draws?: View): void {
    const { images, batch, shape = this.shape } = target;
    const { imageSize: out, channels: outputs } = shape;
    const { channels, imageSize: size } = this.shape;
    const spec = draws ? resampleErase : resample;
    const count = batch * out * out;
    const normal = Object.fromEntries(Object.entries(this.params).filter(([name]) => /^(scale|shift)\d$/.test(name)));
    rec.dispatch(spec, {
      params: { pixels: count, channels, outputs, size, out, ...normal },
      buffers: [this.stageOf(target).pixels, ...(draws ? [draws] : []), images],
      grid: foldGrid(ceilDiv(count, 64)),
      work: 8 * count * outputs * Math.max(1, size / out) ** 2,
      label: spec.name,
    });
  }

  private stageOf({ stage, shape = this.shape }: BatchTarget): Stage {
    const { channels } = this.shape;
    if (!canFeed(channels, shape.channels))
      throw new RangeError(`the model takes images of ${shape.channels} channels, and the data set's have ${channels}`);
    if (!stage) throw new RangeError(`images of ${this.shape.imageSize} pixels become ${shape.imageSize} only through a stage`);
    return stage;
  }

  /** Shards and labels as the kernels bind them. A shard that does not exist is never addressed; the bindings still want a buffer. */
  private get data(): View[] {
    return [...Array.from({ length: MAX_SHARDS }, (_, i) => this.shards[i] ?? this.classes), this.classes];
  }

  dispose(): void {
    for (const view of [...this.shards, this.classes]) this.gpu.buffers.free(view);
  }
}

function uploadBytes(gpu: Gpu, label: string, bytes: Uint8Array): View {
  const view = gpu.buffers.allocate(label, bytes.length);
  for (let at = 0; at < bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    const whole = piece.length & ~3;
    if (whole > 0) gpu.write(view, piece.subarray(0, whole), at);
    if (whole === piece.length) continue;
    // The queue writes multiples of four bytes.
    const rest = new Uint8Array(4);
    rest.set(piece.subarray(whole));
    gpu.write(view, rest, at + whole);
  }
  return view;
}
