import { CROP_PAD, MAX_CHANNELS, MAX_SHARDS, gatherSequential, gatherTrain } from '../../../kernels/gather/gather';
import { foldGrid, type KernelSpec } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';

/** A data set in CPU memory: one byte per pixel and channel, one byte per label. */
export interface DatasetSource {
  /** [count, channels, imageSize, imageSize]. */
  readonly images: Uint8Array;
  /** [count], classes counted from 0. */
  readonly labels: Uint8Array;
  readonly count: number;
  readonly channels: number;
  readonly imageSize: number;
  /** Per channel, of pixel values in [0, 1]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Names the GPU buffers. */
  readonly label: string;
}

/** Where a batch goes. */
export interface BatchTarget {
  /** f32 [batch, channels, imageSize, imageSize], normalised. */
  readonly images: View;
  /** i32 [batch]. */
  readonly labels: View;
  readonly batch: number;
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

/** Bytes handed to the queue at once: larger writes make the browser hold a second copy of the whole set. */
const PIECE = 8 * 2 ** 20;

/** A data set resident on the GPU as bytes, cut into up to four buffers of whole images where one binding cannot hold it. */
export class GpuDataset {
  private constructor(
    private readonly gpu: Gpu,
    readonly count: number,
    private readonly shards: readonly View[],
    private readonly classes: View,
    private readonly params: Readonly<Record<string, number>>,
  ) {}

  /**
   * Copies the data set to the GPU. `shardBytes` lowers the size of a shard below the device's limit.
   * @throws DatasetTooLargeError when four shards do not hold it, OutOfMemoryError from the pool, RangeError when sizes disagree.
   */
  static upload(gpu: Gpu, source: DatasetSource, shardBytes = Infinity): GpuDataset {
    const { images, labels, count, channels, imageSize, mean, std, label } = source;
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
    const params: Record<string, number> = { channels, size: imageSize, count, per_shard: perShard, pad: CROP_PAD };
    for (let c = 0; c < MAX_CHANNELS; c++) {
      const deviation = std[c] ?? 1;
      params[`scale${c}`] = 1 / (255 * deviation);
      params[`shift${c}`] = -(mean[c] ?? 0) / deviation;
    }
    return new GpuDataset(gpu, count, shards, uploadBytes(gpu, `${label}.labels`, labels), params);
  }

  /** Compiles the kernel of `recordGather` ahead of the data. @throws ShaderError */
  static async compile(gpu: Gpu): Promise<void> {
    await gpu.pipelines.get(gatherTrain);
  }

  /** GPU bytes held. */
  get bytes(): number {
    return [...this.shards, this.classes].reduce((sum, view) => sum + view.size, 0);
  }

  /** The shuffled, augmented batch at the place that `state` (a StepState) names; its trainCount is at most `count`. */
  recordGather(rec: Recorder, target: BatchTarget & { readonly state: View }): void {
    this.record(rec, gatherTrain, target.state, target);
  }

  /** Samples [start, start + batch) in order, not augmented; past the end the last sample is repeated. `start` is one u32. */
  recordSequential(rec: Recorder, target: BatchTarget & { readonly start: View }): void {
    this.record(rec, gatherSequential, target.start, target);
  }

  private record(rec: Recorder, spec: KernelSpec, head: View, { images, labels, batch }: BatchTarget): void {
    // A shard that does not exist is never addressed; the bindings still want a buffer.
    const shards = Array.from({ length: MAX_SHARDS }, (_, i) => this.shards[i] ?? this.classes);
    rec.dispatch(spec, {
      params: { ...this.params, batch },
      buffers: [head, ...shards, this.classes, images, labels],
      grid: foldGrid(batch),
      label: spec.name,
    });
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
