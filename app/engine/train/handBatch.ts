import type { Batch } from '../../protocol/messages';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder } from '../gpu/recorder';
import type { ParameterTable, VitConfig } from '../model/parameters';
import { VitModel } from '../model/vit';
import { allocateLossScale, recordUnscale } from '../optim/lossScale';
import type { RecordLinear } from '../ops/linear';
import type { MatmulTuning } from '../ops/matmul';

/** Pixels of one image. */
export const imageElements = (c: VitConfig): number => c.inChannels * c.imageSize * c.imageSize;

/** @throws RangeError naming what does not fit the model */
export function checkBatch(config: VitConfig, images: Float32Array, labels?: Int32Array): number {
  const one = imageElements(config);
  const shape = `[${config.inChannels}, ${config.imageSize}, ${config.imageSize}]`;
  if (images.length === 0 || images.length % one !== 0)
    throw new RangeError(`images has ${images.length} values; expected a multiple of ${one}, one image being ${shape}.`);
  const count = images.length / one;
  if (labels) {
    if (labels.length !== count) throw new RangeError(`labels has ${labels.length} entries for ${count} images of ${shape}.`);
    const bad = labels.find((label) => label < 0 || label >= config.numClasses);
    if (bad !== undefined) throw new RangeError(`labels holds ${bad}; expected 0 to ${config.numClasses - 1}.`);
  }
  return count;
}

/**
 * Forward and backward of one batch on buffers of its own: for scripts and checks, not for the step loop. With `halves` the loss is
 * scaled as it is at the start of a run, and the gradients are freed of that.
 */
export async function gradientsOf(
  gpu: Gpu,
  o: {
    config: VitConfig;
    table: ParameterTable;
    tuning: MatmulTuning;
    halves: boolean;
    params: View;
    labelSmoothing: number;
    batch: Batch;
  },
): Promise<{ loss: number; logits: Float32Array; grads: Float32Array }> {
  const { config, table, tuning, halves, params, labelSmoothing, batch } = o;
  const count = batch.labels.length;
  const model = await gpu.guard('a batch given by hand', () => new VitModel(gpu, { config, batch: count, tuning, halves, training: true }));
  let grads: View | undefined;
  let scaling: View | undefined;
  try {
    grads = await gpu.guard('its gradients', () => gpu.buffers.allocate('hand.gradients', table.total * 4));
    scaling = halves ? allocateLossScale(gpu) : undefined;
    const recorder = new Recorder(gpu, 'hand');
    gpu.write(model.images, batch.images);
    gpu.write(model.labels, batch.labels);
    model.recordForward(recorder, params);
    model.recordLoss(recorder, labelSmoothing, { scaling });
    model.recordBackward(recorder, params, grads);
    if (scaling) recordUnscale(recorder, { scaling, grads });
    const program = await recorder.build();
    program.run();
    program.dispose();
    const losses = await gpu.readFloats(model.losses);
    return {
      loss: losses.slice(0, count).reduce((a, b) => a + b, 0) / count,
      logits: (await gpu.readFloats(model.logits)).slice(0, count * config.numClasses),
      grads: await gpu.readFloats(grads),
    };
  } finally {
    for (const view of [grads, scaling]) if (view) gpu.buffers.free(view);
    model.dispose();
  }
}

/** Logits [B, numClasses] of normalised images [B, C, H, W]; `linear` as in `VitModel.recordForward`. */
export async function predictionOf(
  gpu: Gpu,
  o: { config: VitConfig; tuning: MatmulTuning; halves: boolean; params: View; images: Float32Array; linear?: RecordLinear },
): Promise<Float32Array> {
  const { config, tuning, halves, params, images, linear } = o;
  const count = checkBatch(config, images);
  const model = await gpu.guard('a prediction', () => new VitModel(gpu, { config, batch: count, tuning, halves, training: false }));
  try {
    gpu.write(model.images, images);
    const recorder = new Recorder(gpu, 'predict');
    model.recordForward(recorder, params, linear);
    const program = await recorder.build();
    program.run();
    program.dispose();
    return (await gpu.readFloats(model.logits)).slice(0, count * config.numClasses);
  } finally {
    model.dispose();
  }
}
