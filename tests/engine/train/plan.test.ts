import { expect, test } from 'vitest';
import { overrideMarks } from '../../../app/engine/train/matrices';
import { planExperiment, planMatrices } from '../../../app/engine/train/plan';
import { resolveModel } from '../../../app/engine/train/datasets';
import { defaultExperiment, patchExperiment, type Experiment } from '../../../app/protocol/experiment';
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

test('a weight in slices is planned as its slices; ranks, factors of λ and what is left out are those of the most specific entry', () => {
  const experiment = patchExperiment(defaultExperiment(), {
    method: { overrides: 'blocks.0.attn.qkv.weight(0-24):r3*0.5,blocks.*.mlp.fc1.weight:r5,blocks.1.mlp.fc1.weight:off' as never },
  });
  const matrices = planMatrices(experiment, resolveModel(experiment));
  const qkv = matrices.filter((m) => m.name.startsWith('blocks.0.attn.qkv'));
  expect(qkv).toHaveLength(1);
  expect(qkv[0]).toMatchObject({
    name: 'blocks.0.attn.qkv.weight(0-24)',
    kind: 'qkv',
    rows: 24,
    targetRank: 3,
    lambdaScale: 0.5,
    slice: [0, 24],
  });
  const fc1 = matrices.filter((m) => m.kind === 'fc1');
  expect(fc1[0]).toMatchObject({ targetRank: 5, regularized: true, overridden: true });
  expect(fc1[1]).toMatchObject({ off: true, regularized: false });
});

test('factorized runs count what is trained, and take the bytes of both arenas', () => {
  const base = patchExperiment(presetExperiment('nano'), { method: { targetRank: 0.2 } });
  const plan = (method: object) => planExperiment(patchExperiment(base, { method }), device());
  const dense = plan({ name: 'adamw' });
  const lora = plan({ name: 'lora', loraRank: 0.25 });
  // A quarter of each matrix's parameters, rounded down to a whole rank.
  const weights = dense.matrices.reduce((sum, m) => sum + m.rows * m.cols, 0);
  const trained = lora.matrices.reduce((sum, m) => sum + m.targetRank * (m.rows + m.cols), 0);
  expect(trained).toBeLessThanOrEqual(0.25 * weights);
  expect(lora.parameters).toBe(dense.parameters - weights + trained);
  expect(lora.bytes.optimizer).toBeLessThan(0.6 * dense.bytes.optimizer);
  expect(plan({ name: 'lorita', loritaDepth: 1 })).toEqual({ ...dense });
  const lorita = plan({ name: 'loritaAdamq3r', loritaDepth: 2 });
  expect(lorita.matrices[0]!.factors!.map((f) => [f.rows, f.cols, f.targetRank, f.regularized])).toEqual([
    [48, 48, 9, true],
    [48, 48, 9, true],
  ]);
  expect(lorita.matrices[0]!.regularized).toBe(false);
  expect(lorita.bytes.q3r).toBeGreaterThan(plan({ name: 'adamq3r' }).bytes.q3r);
});

test('a LoRA rank that no matrix has room for is refused by the matrix', () => {
  const experiment = patchExperiment(presetExperiment('nano'), { method: { name: 'lora', loraRank: 49 } });
  expect(() => planMatrices(experiment, resolveModel(experiment))).toThrow(
    /blocks\.0\.attn\.qkv\.weight\[0\] is 48 × 48.*from 1 to 48, not 49/,
  );
});

test('changed overrides are marked once for all blocks that move alike', () => {
  const from = patchExperiment(presetExperiment('nano'), {
    method: { targetRank: 0.2, overrides: [{ name: 'blocks.0.attn.proj.weight', lambda: 2 }] },
  });
  const to = patchExperiment(from, { method: { overrides: [{ name: 'blocks.*.mlp.fc1.weight', rank: 4 }] } });
  expect(overrideMarks(7, from, to, resolveModel(to))).toEqual([
    { step: 7, field: 'blocks.0.attn.proj.weight λ ×', from: 2, to: 1 },
    { step: 7, field: 'blocks.*.mlp.fc1.weight rank', from: 9, to: 4 },
  ]);
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

test('gradient accumulation, a running average and resizing are part of the bytes', () => {
  const base = presetExperiment('micro');
  const bytes = (train: object, model: object = {}) => planExperiment(patchExperiment(base, { train, model }), device()).bytes;
  const arena = bytes({}).weights / 2;
  expect(bytes({ emaDecay: 0.9 }).weights).toBe(3 * arena);
  // A batch in parts: a stage for the gradients of one of four blocks, embedding and head.
  const stage = bytes({ accumulate: 8 }).weights - 2 * arena;
  expect(stage / arena).toBeGreaterThan(0.25);
  expect(stage / arena).toBeLessThan(0.35);
  // Evaluation takes the same in both; what training takes is proportional to the images kept at once.
  const [whole, half, quarter] = [1, 2, 4].map((accumulate) => bytes({ accumulate, evalCount: 1 }).activations);
  expect((whole! - half!) / (half! - quarter!)).toBeCloseTo(2, 1);
  const strong = bytes({ augment: 'strong', evalCount: 1 }).activations - whole!;
  expect(strong).toBe(64 * (3 * 32 * 32 * 4 + 88));
  expect(bytes({}, { imageSize: 64, patchSize: 8 }).data).toBe(bytes({}).data);
});

test.each([
  ['tiny16', 5_526_346],
  ['small', 21_342_346],
  ['base', 85_806_346],
])('%s has %i parameters, and sane bytes', (key, parameters) => {
  const experiment = presetExperiment(key, 'cifar10');
  const plan = planExperiment(experiment, { ...device(), counts: { train: 50_000, test: 10_000 } });
  expect(plan.parameters).toBe(parameters);
  // Bytes of pixels, and two for the label.
  expect(plan.bytes.data).toBe(60_000 * 3074);
  // Weights and gradients, with a stage for those of a part, layer by layer; two moments.
  expect(plan.bytes.weights / (4 * parameters)).toBeCloseTo(2.1, 1);
  expect(plan.bytes.optimizer / (4 * parameters)).toBeCloseTo(2, 2);
  expect(plan.bytes.activations).toBeLessThan(1.5 * 2 ** 30);
  // U and V as far as sketches of a fifth of the columns reach, the display's V, and of the work buffers what finds no room: an eighth at most.
  expect(plan.bytes.q3r / (4 * parameters)).toBeLessThan(1.2);
});

test('what does not fit is first cut into parts; only then the model shrinks', () => {
  const info = { ...gpu().info, software: true, maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 31 };
  const plan = (experiment: Experiment) => planExperiment(experiment, { ...device(), info });
  const large = patchExperiment(presetExperiment('tiny16'), { train: { batchSize: 512, accumulate: 1 } });
  const { nearest, nearestText } = plan(large).refusal!;
  expect(nearest).toEqual({ ...large, train: { ...large.train, accumulate: nearest.train.accumulate } });
  expect(nearestText).toBe(`12 blocks of width 192, batch 512 in ${nearest.train.accumulate} parts`);
  expect(plan(nearest).refusal).toBeUndefined();
  expect(plan(patchExperiment(nearest, { train: { accumulate: nearest.train.accumulate / 2 } })).refusal).toBeDefined();
  // What ViT-Base keeps for each weight, the operator's state included, comes near 2 GiB by itself; a running average passes that.
  expect(plan(presetExperiment('base')).refusal).toBeUndefined();
  const base = plan(patchExperiment(presetExperiment('base'), { train: { emaDecay: 0.999 } })).refusal!;
  expect(base.reason).toMatch(/GiB of graphics memory/);
  expect(base.nearest.model).toMatchObject({ embedDim: 768, depth: 6, imageSize: 224 });
  expect(base.nearest.train.batchSize).toBe(128);
  expect(plan(base.nearest).refusal).toBeUndefined();
});

test('the bytes promised are about the bytes allocated', async () => {
  const experiment = patchExperiment(presetExperiment('nano'), { train: { batchSize: 8, evalCount: 64 } });
  const before = gpu().buffers.liveBytes;
  const data = smallData(gpu());
  const run = await makeRun(gpu(), experiment, data);
  const { liveBytes, stagingBytes } = gpu().buffers;
  const { total } = planExperiment(experiment, device()).bytes;
  // Uniform buffers and step records are not promised.
  expect((liveBytes - stagingBytes - before) / total).toBeGreaterThan(1);
  expect((liveBytes - stagingBytes - before) / total).toBeLessThan(1.05);
  expect(stagingBytes).toBeGreaterThan(0);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});
