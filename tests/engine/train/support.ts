import { SHAPES_SEED, generateShapes } from '../../../app/engine/data/shapes/generate';
import { shapes } from '../../../app/engine/data/shapes/config';
import type { Gpu } from '../../../app/engine/gpu/device';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { GpuDataset } from '../../../app/engine/ops/gather';
import { defaultMatmulTuning } from '../../../app/engine/ops/matmul';
import { resolveModel } from '../../../app/engine/train/datasets';
import { Run, type RunData } from '../../../app/engine/train/run';
import { defaultExperiment, patchExperiment, type DeepPartial, type Experiment } from '../../../app/protocol/experiment';

/** A few hundred drawn shapes on the GPU. */
export function smallData(gpu: Gpu, train = 256, test = 64): RunData {
  const upload = (count: number, seed: number, label: string): GpuDataset =>
    GpuDataset.upload(gpu, { ...generateShapes({ count, seed }), channels: 3, imageSize: 32, mean: shapes.mean, std: shapes.std, label });
  return { train: upload(train, SHAPES_SEED.train, 'train'), test: upload(test, SHAPES_SEED.test, 'test') };
}

/** A model of one or two narrow blocks, so that a step takes tens of milliseconds on a software adapter. */
export const tiny = (patch: DeepPartial<Experiment> = {}): Experiment =>
  patchExperiment(
    patchExperiment(defaultExperiment(), {
      model: { patchSize: 8, embedDim: 32, depth: 2, numHeads: 2, mlpRatio: 2 },
      train: { batchSize: 16, steps: 1000, warmupSteps: 0, lrSchedule: 'constant', lr: 2e-3, evalEvery: 0, evalCount: 64 },
    }),
    patch,
  );

export async function makeRun(gpu: Gpu, experiment: Experiment, data?: RunData): Promise<Run> {
  const run = await Run.create(gpu, experiment, resolveModel(experiment), defaultMatmulTuning(gpu.info));
  if (data) await run.attach(data);
  return run;
}

/** Steps `from` to `to`, one at a time; returns their losses. */
export async function steps(run: Run, from: number, to: number, after?: (t: number) => Promise<void>): Promise<number[]> {
  const losses: number[] = [];
  for (let t = from; t <= to; t++) {
    await run.ready(t);
    losses.push((await run.submitStep(t, 1)).record.loss);
    await after?.(t);
  }
  return losses;
}

/** 2λR(W) of the weights `w`, by the decomposition that a run has; of the matrices alone, zero elsewhere. */
export async function termAt({ gpu, rank, views }: Run, w: Float32Array): Promise<Float32Array> {
  const x = gpu.upload('w', w);
  const out = gpu.buffers.allocate('term', x.size);
  const recorder = new Recorder(gpu, 'term');
  rank.q3r!.recordApply(recorder, { x, out, state: views.state, mode: 'write', value: views.value });
  const program = await recorder.build();
  program.run();
  const term = await gpu.readFloats(out);
  program.dispose();
  gpu.buffers.free(x);
  gpu.buffers.free(out);
  return term;
}

/** Fills the work buffers of a run's decompositions with NaN, and of the activations what they lie in. */
export function poison({ gpu, rank }: Run): void {
  for (const { buffer } of rank.workspace.views) gpu.write({ buffer, offset: 0, size: buffer.size }, new Uint8Array(buffer.size).fill(255));
}
