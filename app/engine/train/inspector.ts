import type { Look } from '../../protocol/inspection';
import { OwnedViews, slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Readback } from '../gpu/readback';
import { Recorder, submitsFor } from '../gpu/recorder';
import type { VitPlan } from '../model/memory';
import { vitShape } from '../model/shape';
import { VitModel } from '../model/vit';
import { recordAttentionHeadMean, recordAttentionMap } from '../ops/attentionMap';
import { GpuDataset, type DatasetSource } from '../ops/gather';
import type { RecordLinear } from '../ops/linear';
import { Stage } from '../ops/stage';
import { submitBatches } from './evaluator';
import { rollout } from './rollout';
import type { TestBench } from './truncation';

/** Weights to look through: an arena, with other linear layers where `linear` is given. */
export interface Weights {
  readonly params: View;
  readonly linear?: RecordLinear;
}

/** Most bytes that the whole attention of a few images may take for their rollout; with more tokens there is none. */
const ROLLOUT_BYTES = 64 * 2 ** 20;

/** Images to look at, as bytes at the data set's size, or normalised at the model's. */
export type Given = DatasetSource | Float32Array;

/**
 * Logits [count, numClasses] of the first `count` test images, by each of `weights`. `queued` is called when all work for the
 * first is queued: the weights are those of that moment. What is allocated is freed.
 */
export async function surveyLogits(
  gpu: Gpu,
  bench: TestBench,
  o: { weights: readonly Weights[]; count: number; classes: number; queued?: () => void },
): Promise<Float32Array[]> {
  const { model, batch, dataset } = bench;
  const batches = Math.ceil(o.count / batch);
  const bytes = batch * o.classes * 4;
  const owned = new OwnedViews(gpu.buffers);
  let stage: Stage | undefined;
  let readback: Readback | undefined;
  try {
    const { logits, start } = await gpu.guard('the survey of the test images', () => {
      stage = Stage.create(gpu, { from: dataset.shape, to: model.inputShape, batch });
      readback = new Readback(gpu, 'survey', batches * bytes);
      return {
        logits: owned.own(gpu.buffers.allocate('survey.logits', batches * bytes)),
        start: owned.own(gpu.buffers.allocate('survey.start', 16)),
      };
    });
    const out: Float32Array[] = [];
    for (const { params, linear } of o.weights) {
      const recorder = new Recorder(gpu, 'survey');
      dataset.recordSequential(recorder, { start, images: model.images, labels: model.labels, batch, shape: model.inputShape, stage });
      model.recordForward(recorder, params, linear);
      const program = await recorder.build();
      submitBatches(gpu, program, { start, batch, batches }, (encoder, b) =>
        encoder.copyBufferToBuffer(model.logits.buffer, model.logits.offset, logits.buffer, b * bytes, bytes),
      );
      if (out.length === 0) o.queued?.();
      const encoder = gpu.device.createCommandEncoder({ label: 'survey.read' });
      readback!.copy(encoder, { ...logits, size: batches * bytes });
      gpu.device.queue.submit([encoder.finish()]);
      out.push(new Float32Array(await readback!.map(batches * bytes), 0, o.count * o.classes));
      program.dispose();
    }
    return out;
  } finally {
    stage?.dispose();
    readback?.dispose();
    owned.dispose();
  }
}

/**
 * Logits and attention of a few images by each of `weights`, in a model of its own, which is freed. `queued` as above.
 * @throws RangeError for images that the model cannot take
 */
export async function lookAt(gpu: Gpu, plan: VitPlan, given: Given, weights: readonly Weights[], queued?: () => void): Promise<Look[]> {
  const { config, batch, tuning, halves = false } = plan;
  const { tokens } = vitShape(config);
  const { numHeads: heads, depth, numClasses } = config;
  const mean = config.pool === 'avg';
  /** Elements of a layer's maps, and from one layer to the next. */
  const one = batch * heads * tokens;
  const pitch = 64 * Math.ceil(one / 64);
  /** The same of the weights of every query, averaged over heads. */
  const square = batch * tokens * tokens;
  const stride = 64 * Math.ceil(square / 64);
  const rolls = depth * stride * 4 <= Math.min(ROLLOUT_BYTES, gpu.device.limits.maxStorageBufferBindingSize);
  const owned = new OwnedViews(gpu.buffers);
  let model: VitModel | undefined;
  let source: GpuDataset | undefined;
  let stage: Stage | undefined;
  try {
    const { maps, means, start } = await gpu.guard('a look at images', () => {
      model = new VitModel(gpu, { config, batch, tuning: tuning!, training: false, halves });
      if (!(given instanceof Float32Array)) {
        source = GpuDataset.upload(gpu, given);
        stage = Stage.create(gpu, { from: source.shape, to: model.inputShape, batch });
      }
      return {
        maps: owned.own(gpu.buffers.allocate('look.attention', depth * pitch * 4)),
        means: rolls ? owned.own(gpu.buffers.allocate('look.means', depth * stride * 4)) : undefined,
        start: owned.own(gpu.buffers.allocate('look.start', 16)),
      };
    });
    const { images, labels, inputShape: shape, logits } = model!;
    if (given instanceof Float32Array) gpu.write(images, given);
    const out: Look[] = [];
    for (const { params, linear } of weights) {
      const recorder = new Recorder(gpu, 'look');
      source?.recordSequential(recorder, { start, images, labels, batch, shape, stage });
      const queries: number[] = [];
      model!.recordForward(recorder, params, linear, (rec, block, at) => {
        recordAttentionMap(rec, {
          ...at,
          map: slice(maps, block * pitch, one),
          // The head reads the mean of the patch tokens: what they attend to, on average.
          first: mean ? 1 : 0,
          count: mean ? tokens - 1 : 1,
          label: `blocks.${block}.attn.map`,
        });
        queries[block] = at.shape.queries;
        if (means)
          recordAttentionHeadMean(rec, {
            ...at,
            mean: slice(means, block * stride, batch * at.shape.queries * tokens),
            label: `blocks.${block}.attn.mean`,
          });
      });
      const program = await recorder.build();
      program.run(submitsFor(gpu, program));
      if (out.length === 0) queued?.();
      const [scores, attended, whole] = await Promise.all([gpu.readFloats(logits), gpu.readFloats(maps), means && gpu.readFloats(means)]);
      program.dispose();
      const attention = new Float32Array(depth * one);
      for (let l = 0; l < depth; l++) attention.set(attended.subarray(l * pitch, l * pitch + one), l * one);
      const layers = whole && queries.map((rows, l) => ({ queries: rows, weights: whole.subarray(l * stride) }));
      out.push({
        logits: scores.slice(0, batch * numClasses),
        attention,
        rollout: layers ? rollout(layers, { count: batch, tokens, query: mean ? 'mean' : 'class' }) : null,
      });
    }
    return out;
  } finally {
    stage?.dispose();
    source?.dispose();
    model?.dispose();
    owned.dispose();
  }
}
