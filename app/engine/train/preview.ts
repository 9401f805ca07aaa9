import { packStepState, STEP_STATE_BYTES } from '../../../kernels/stepState';
import type { Experiment } from '../../protocol/experiment';
import type { DatasetConfig } from '../data/config';
import type { Gpu } from '../gpu/device';
import { Recorder } from '../gpu/recorder';
import type { GpuDataset } from '../ops/gather';

interface PreviewRequest {
  readonly train: GpuDataset;
  readonly config: DatasetConfig;
  /** Images in `train`. */
  readonly trainCount: number;
  readonly experiment: Experiment;
  readonly count: number;
  /** Which batch of `count` images, from 0; past the end of an epoch it goes on in the next. */
  readonly draw: number;
}

/** Pixels of a batch as RGBA, and its labels. */
export interface Preview {
  readonly width: number;
  readonly height: number;
  readonly images: Uint8ClampedArray[];
  readonly labels: number[];
}

const MAX_COUNT = 64;

/**
 * Gathers a batch with the kernel that training uses, in the experiment's order and with its augmentation, and undoes the normalisation.
 * Everything it allocates is freed.
 */
export async function previewBatch(gpu: Gpu, o: PreviewRequest): Promise<Preview> {
  const { train, config } = o;
  const batch = Math.min(MAX_COUNT, Math.max(1, Math.floor(o.count)));
  const { channels, imageSize } = config;
  const pixels = channels * imageSize * imageSize;
  const { buffers } = gpu;
  const views = await gpu.guard('the preview', () => ({
    state: buffers.allocate('preview.state', STEP_STATE_BYTES),
    images: buffers.allocate('preview.images', batch * pixels * 4),
    labels: buffers.allocate('preview.labels', batch * 4),
  }));
  try {
    gpu.write(views.state, stateOf(o, batch));
    const recorder = new Recorder(gpu, 'preview');
    train.recordGather(recorder, { state: views.state, images: views.images, labels: views.labels, batch });
    const program = await recorder.build();
    try {
      const encoder = gpu.device.createCommandEncoder({ label: 'preview' });
      program.encode(encoder);
      gpu.device.queue.submit([encoder.finish()]);
      const values = new Float32Array(await gpu.read(views.images), 0, batch * pixels);
      const labels = [...new Int32Array(await gpu.read(views.labels), 0, batch)];
      const images = labels.map((_, b) => toRgba(values.subarray(b * pixels, (b + 1) * pixels), config));
      return { width: imageSize, height: imageSize, images, labels };
    } finally {
      program.dispose();
    }
  } finally {
    for (const view of Object.values(views)) buffers.free(view);
  }
}

/** The state of a step that would train on this batch. */
function stateOf({ experiment, draw, trainCount }: PreviewRequest, size: number): ArrayBuffer {
  const { train: recipe, method } = experiment;
  const seen = draw * size;
  return packStepState({
    step: draw + 1,
    lr: 0,
    beta1: recipe.beta1,
    beta2: recipe.beta2,
    adamEps: recipe.adamEps,
    weightDecay: 0,
    lambda: method.lambda,
    gradClip: 0,
    seed: recipe.seed,
    epoch: Math.floor(seen / trainCount),
    position: seen % trainCount,
    trainCount,
    augment: recipe.augment,
  });
}

/** Normalised planes [C, S, S] as pixels; grey where there is one channel. */
function toRgba(planes: Float32Array, { channels, imageSize, mean, std }: DatasetConfig): Uint8ClampedArray {
  const plane = imageSize * imageSize;
  const out = new Uint8ClampedArray(plane * 4).fill(255);
  for (let c = 0; c < 3; c++) {
    const from = channels >= 3 ? c : 0;
    const [scale, shift] = [255 * (std[from] ?? 1), 255 * (mean[from] ?? 0)];
    for (let p = 0; p < plane; p++) out[4 * p + c] = (planes[from * plane + p] ?? 0) * scale + shift;
  }
  return out;
}
