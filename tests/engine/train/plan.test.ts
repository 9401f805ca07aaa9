import { expect, test } from 'vitest';
import { planExperiment, planMatrices } from '../../../app/engine/train/plan';
import { resolveModel } from '../../../app/engine/train/datasets';
import { defaultExperiment, patchExperiment } from '../../../app/protocol/experiment';
import { presetExperiment } from '../../../app/protocol/presets';
import { makeRun, smallData } from './support';
import { useGpu } from '../../support/gpu';

const gpu = useGpu();
const device = () => ({ info: gpu().info, gflops: 3, counts: { train: 256, test: 64 } });

test('the parameters of ViT-Tiny/4 and the target ranks of its 72 matrices', () => {
  const plan = planExperiment(presetExperiment('tiny', 'cifar10'), device());
  expect(plan.parameters).toBe(5_362_762);
  expect(plan.matrices).toHaveLength(72);
  expect(plan.matrices.find((m) => m.kind === 'fc1')).toMatchObject({ rows: 768, cols: 192, targetRank: 38, regularized: true });
});

test('a matrix whose target rank reaches its short side is not regularized, and is said not to be', () => {
  const experiment = patchExperiment(defaultExperiment(), { method: { targetRank: 0.5, rankRule: 'max' } });
  const matrices = planMatrices(experiment, resolveModel(experiment));
  expect(matrices.find((m) => m.kind === 'fc1')).toMatchObject({ targetRank: 64, regularized: false });
  expect(matrices.find((m) => m.kind === 'q')).toMatchObject({ targetRank: 32, regularized: true });
});

test('fused qkv is one matrix; head and patch embedding appear when they are targeted', () => {
  const experiment = patchExperiment(defaultExperiment(), { method: { fuseQkv: true, targetModules: ['head', 'patch_embed'] } });
  const matrices = planMatrices(experiment, resolveModel(experiment));
  expect(matrices.filter((m) => m.block === 0).map((m) => m.kind)).toEqual(['qkv', 'proj', 'fc1', 'fc2']);
  expect(matrices.filter((m) => m.regularized).map((m) => m.kind)).toEqual(['patch_embed', 'head']);
});

test('a model beyond the device is refused with the reason, and the nearest one fits', () => {
  const huge = patchExperiment(defaultExperiment(), {
    model: { embedDim: 1024, depth: 24, numHeads: 16, mlpRatio: 4 },
    train: { batchSize: 2048 },
  });
  const { refusal } = planExperiment(huge, device());
  expect(refusal?.reason).toMatch(/MiB|GiB/);
  expect(planExperiment(refusal!.nearest, device()).refusal).toBeUndefined();
});

test('the bytes promised are about the bytes allocated', async () => {
  const experiment = patchExperiment(presetExperiment('nano'), { train: { batchSize: 8, evalCount: 64 } });
  const before = gpu().buffers.liveBytes;
  const data = smallData(gpu());
  const run = await makeRun(gpu(), experiment, data);
  const real = gpu().buffers.liveBytes - before;
  const { total } = planExperiment(experiment, device()).bytes;
  // Staging memory for snapshots and read-backs, and uniform buffers, are not promised: a fifth of a model this small.
  expect(real / total).toBeGreaterThan(0.8);
  expect(real / total).toBeLessThan(1.5);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});
