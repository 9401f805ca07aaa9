import { expect, test } from 'vitest';
import { slice } from '../../../app/engine/gpu/buffers';
import { Program } from '../../../app/engine/gpu/recorder';
import { q3r } from '../../../app/engine/linalg/q3r';
import { elementsBeside } from '../../../app/engine/model/memory';
import { spectralPlan, trainingActivations } from '../../../app/engine/train/recipe';
import { differences, isLive, patchExperiment, type DeepPartial, type Experiment } from '../../../app/protocol/experiment';
import { maxError, relativeError, useGpu } from '../../support/gpu';
import { makeRun, poison, smallData, steps, termAt, tiny } from './support';

const gpu = useGpu();

test('a run gives every byte back, and a step creates no buffer', async () => {
  const before = gpu().buffers.liveBytes;
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny());
  // Data for which there is no room leave nothing behind, and are attached when there is.
  const bare = gpu().buffers.liveBytes;
  gpu().buffers.budget = bare + 3e5;
  await expect(run.attach(data)).rejects.toThrow('MiB left for');
  expect([gpu().buffers.liveBytes, run.canEvaluate]).toEqual([bare, false]);
  gpu().buffers.budget = Infinity;
  await run.attach(data);
  // What compiles behind the first steps has been allocated by now.
  const created = gpu().buffers.createdCount;
  await steps(run, 1, 1);
  await run.spectra();
  const [one, other] = await Promise.all([run.evaluate(64), run.evaluate(64)]);
  expect(other).toEqual(one);
  await run.takeSnapshot(1);
  await steps(run, 2, 12);
  await run.spectra();
  await run.evaluate(64);
  await run.takeSnapshot(12);
  expect(gpu().buffers.createdCount).toBe(created);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
  expect([gpu().buffers.liveBytes, gpu().buffers.stagingBytes]).toEqual([before, 0]);
});

test.each(['adamw', 'adamq3r', 'q3r'] as const)('%s: the loss falls, and two runs are the same bit for bit', async (name) => {
  const data = smallData(gpu());
  const curves: number[][] = [];
  for (const [i, count] of [40, 24].entries()) {
    const run = await makeRun(gpu(), tiny({ method: { name, lambda: name === 'q3r' ? 0.005 : 0.5 }, train: { augment: 'basic' } }), data);
    curves.push(
      await steps(run, 1, count, async (t) => {
        // Looking at a run must not change it.
        if (i === 1 && t % 7 === 0) await Promise.all([run.spectra(), run.evaluate(64), run.takeSnapshot(t)]);
      }),
    );
    await run.dispose();
  }
  expect(curves[1]).toEqual(curves[0]!.slice(0, 24));
  const mean = (a: number[]): number => a.reduce((x, y) => x + y, 0) / a.length;
  expect(mean(curves[0]!.slice(-10))).toBeLessThan(mean(curves[0]!.slice(0, 10)) - 0.02);
  data.train.dispose();
  data.test.dispose();
});

/** Every other technique, with what makes twelve steps exercise it: refreshes, several factors, a slice and a matrix left out. */
const OVERRIDES = [
  { name: 'blocks.0.mlp.fc1.weight', rows: [0, 24] as const, rank: 3, lambda: 0.5 },
  { name: 'blocks.1.attn.qkv.weight[1]', off: true as const },
];
const TECHNIQUES: DeepPartial<Experiment>['method'][] = [
  { name: 'adamq3r', overrides: OVERRIDES },
  { name: 'hoyer', lambda: 0.01, reweightEvery: 2 },
  { name: 'hoyerSquare', lambda: 0.001, reweightEvery: 1 },
  { name: 'lora', loraRank: 0.25, overrides: OVERRIDES },
  { name: 'lorita', loritaDepth: 3, overrides: OVERRIDES },
  { name: 'loritaQ3r', lambda: 0.01, loritaDepth: 2 },
  { name: 'loritaAdamq3r', lambda: 0.5, loritaDepth: 2, overrides: OVERRIDES },
];

test.each(TECHNIQUES.map((method) => [method!.name!, method!] as const))(
  '%s: repeats bit for bit, from a snapshot too; no buffer after the first step, none left at the end',
  async (_, method) => {
    const before = gpu().buffers.liveBytes;
    const data = smallData(gpu(), 64, 16);
    const experiment = tiny({ method, train: { weightDecay: 0.01, evalCount: 16, batchSize: 8 } });
    const run = await makeRun(gpu(), experiment, data);
    const first = await steps(run, 1, 1);
    await run.evaluate(16);
    const snapshot = await run.takeSnapshot(1);
    await run.spectra();
    const { createdCount, exchanges } = gpu().buffers;
    const losses = [...first, ...(await steps(run, 2, 9))];
    const spectra = await run.spectra();
    // Where sketches grew, a buffer in the place of another.
    expect(gpu().buffers.createdCount - createdCount).toBe(gpu().buffers.exchanges - exchanges);
    expect(losses.every((loss) => Number.isFinite(loss) && loss < 4)).toBe(true);
    expect(spectra.every((m) => m.sigma.every(Number.isFinite) && m.sigma[0]! > 0)).toBe(true);
    const trained = await gpu().readFloats(run.views.params);
    run.restore(snapshot);
    expect([...first, ...(await steps(run, 2, 9))]).toEqual(losses);
    expect(await gpu().readFloats(run.views.params)).toEqual(trained);
    await run.dispose();
    const again = await makeRun(gpu(), experiment, data);
    // Nothing that decompositions or passes leave in their common memory matters.
    expect(await steps(again, 1, 9, async () => poison(again))).toEqual(losses);
    await again.dispose();
    data.train.dispose();
    data.test.dispose();
    expect(gpu().buffers.liveBytes).toBe(before);
  },
);

test('decompositions in the memory of the activations find nothing there, and leave nothing', async () => {
  const data = smallData(gpu(), 32, 16);
  const experiment = tiny({
    // Off every tile; of the work buffers some find room.
    ...{ model: { embedDim: 18, numHeads: 3 }, method: { name: 'adamq3r', lambda: 0.5, svd: 'randomized', reweightEvery: 1 } },
    train: { batchSize: 16, accumulate: 2, recompute: true, evalCount: 16 },
  });
  const found = [];
  for (const poisoned of [false, true]) {
    const run = await makeRun(gpu(), experiment, data);
    await run.evaluable();
    const { bytes } = run.rank.workspace;
    expect([bytes > 0, bytes < elementsBeside(spectralPlan(experiment, run.config).items, []) * 4]).toEqual([true, true]);
    const planned = 4 * elementsBeside(spectralPlan(experiment, run.config).items, trainingActivations(experiment, run.config).items);
    // A card's products may have sums of parts to keep, which is more room than planned.
    expect(gpu().info.software ? bytes === planned : bytes <= planned).toBe(true);
    const piece = (program: Program, from: number, to: number): void => {
      if (poisoned) poison(run);
      Program.sequence(gpu(), 'piece', [{ program, from, to }]).run();
    };
    for (let t = 1; t <= 4; t++) {
      const { refresh, step } = await run.programsOf(t);
      for (const program of refresh) piece(program, 0, program.length);
      for (const program of step) {
        const phases = program.describe().map(({ phase }) => phase);
        const pass = 1 + phases.findLastIndex((phase) => phase === 'forward' || phase === 'backward');
        piece(program, 0, pass);
        piece(program, pass, program.length);
      }
      if (poisoned) poison(run);
      await run.settle();
    }
    const spectra = await run.spectra();
    if (poisoned) poison(run);
    found.push({ weights: await run.readParameters(), spectra, validation: await run.evaluate(16) });
    await run.dispose();
  }
  expect(found[0]!.weights.every(Number.isFinite)).toBe(true);
  expect(found[1]).toEqual(found[0]);
  data.train.dispose();
  data.test.dispose();
});

test('matrices whose work buffers find no room all at once are decomposed in groups', async () => {
  const data = smallData(gpu(), 32, 16);
  const experiment = tiny({
    model: { patchSize: 32, embedDim: 64, depth: 5, mlpRatio: 4 },
    ...{ method: { name: 'adamq3r', lambda: 0.5, svd: 'randomized' }, train: { batchSize: 1, evalCount: 1 } },
  });
  const run = await makeRun(gpu(), experiment, data);
  expect(run.rank.q3r!.batches.length).toBeGreaterThan(1);
  const { items } = trainingActivations(experiment, run.config);
  expect(run.rank.workspace.bytes).toBe(4 * elementsBeside(spectralPlan(experiment, run.config).items, items));
  const before = await run.readParameters();
  poison(run);
  await steps(run, 1, 1);
  poison(run);
  const [spectra, term, after] = [await run.spectra(), await termAt(run, before), await run.readParameters()];
  // Of the last group.
  const { name, offset, rows, cols, targetRank } = run.rank.q3r!.matrices.at(-1)!;
  const exactly = (w: Float32Array, epsilon: number) =>
    q3r(gpu(), { data: w.slice(offset, offset + rows * cols), rows, cols }, { targetRank, lambda: 0.5, epsilon });
  const { sigma, epsilon } = spectra.find((m) => m.name === name)!;
  const exact = await exactly(before, 1e8);
  expect(Math.abs(epsilon / exact.epsilon - 1)).toBeLessThan(1e-5);
  expect(relativeError(term.slice(offset, offset + rows * cols), exact.gradient)).toBeLessThan(1e-4);
  expect(maxError(sigma, (await exactly(after, 1e8)).sigma)).toBeLessThan(2e-5 * sigma[0]!);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('LoRITa of depth 1 is the dense layer, bit for bit', async () => {
  const data = smallData(gpu(), 64, 16);
  const curve = async (method: DeepPartial<Experiment>['method']): Promise<number[]> => {
    const run = await makeRun(gpu(), tiny({ method, train: { batchSize: 8 } }), data);
    const losses = await steps(run, 1, 4);
    await run.dispose();
    return losses;
  };
  expect(await curve({ name: 'lorita', loritaDepth: 1 })).toEqual(await curve({ name: 'adamw' }));
  expect(await curve({ name: 'loritaAdamq3r', loritaDepth: 1 })).toEqual(await curve({ name: 'adamq3r' }));
  data.train.dispose();
  data.test.dispose();
});

test('an override of rank and λ acts on its matrix alone, and may change while the run goes on', async () => {
  const data = smallData(gpu(), 64, 16);
  const name = 'blocks.0.mlp.fc1.weight';
  const experiment = tiny({ method: { name: 'adamq3r', lambda: 1, svd: 'exact', reweightEvery: 1 }, train: { batchSize: 8 } });
  const run = await makeRun(gpu(), experiment, data);
  const weights = await run.readParameters();
  await steps(run, 1, 1);
  const { offset, length } = run.table.byName.get(name)!;
  const other = run.table.byName.get('blocks.0.mlp.fc2.weight')!;
  const plain = await termAt(run, weights);
  const overridden = patchExperiment(experiment, { method: { overrides: [{ name, lambda: 0.25 }] } });
  expect(differences(experiment, overridden).every(isLive)).toBe(true);
  const second = await makeRun(gpu(), experiment, data);
  second.setLive(overridden);
  await steps(second, 1, 1);
  const scaled = await termAt(second, weights);
  expect(scaled.slice(offset, offset + length)).toEqual(plain.slice(offset, offset + length).map((x) => 0.25 * x));
  expect(scaled.slice(other.offset, other.offset + other.length)).toEqual(plain.slice(other.offset, other.offset + other.length));
  second.setLive(patchExperiment(experiment, { method: { overrides: [{ name, rank: 2 }] } }));
  await steps(second, 2, 2);
  const spectrum = (await second.spectra()).find((m) => m.name === name)!;
  expect(spectrum).toMatchObject({ targetRank: 2, overridden: true, regularized: true });
  // Refreshed before the update: ε is σ₃ of the weights before it, near σ₃ of those after it.
  expect(Math.abs(spectrum.epsilon / spectrum.sigma[2]! - 1)).toBeLessThan(0.2);
  await run.dispose();
  await second.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('imported weights are what a factorized run starts from, and what it exports', async () => {
  const dense = await makeRun(gpu(), tiny({ train: { seed: 5 } }));
  const weights = await dense.readParameters();
  await dense.dispose();
  const lorita = await makeRun(gpu(), tiny({ method: { name: 'lorita', loritaDepth: 3 } }));
  expect(await lorita.writeParameters(weights)).toBe(1);
  expect(await lorita.readParameters()).toEqual(weights);
  await lorita.dispose();
  const lora = await makeRun(gpu(), tiny({ method: { name: 'lora', loraRank: 4 } }));
  const kept = await lora.writeParameters(weights);
  expect(kept).toBeGreaterThan(0.2);
  expect(kept).toBeLessThan(0.6);
  const { sigma, targetRank } = (await lora.spectra()).find((m) => m.kind === 'fc1')!;
  expect(targetRank).toBe(4);
  expect(sigma[4]!).toBeLessThan(1e-5 * sigma[0]!);
  await lora.dispose();
});

test('a factor that is not finite is named', async () => {
  const data = smallData(gpu(), 64, 16);
  const run = await makeRun(gpu(), tiny({ method: { name: 'lorita', loritaDepth: 2 }, train: { batchSize: 8 } }), data);
  await steps(run, 1, 1);
  const entry = run.factorization!.layout.trained.byName.get('blocks.0.attn.qkv.weight[0].lorita.1')!;
  gpu().write(slice(run.views.params, entry.offset, 1), Float32Array.of(NaN));
  expect(await run.firstBadTensor()).toEqual({ name: 'blocks.0.attn.qkv.weight[0].lorita.1', count: 1 });
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('a restored snapshot continues bitwise', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny({ method: { lambda: 2 } }), data);
  await steps(run, 1, 8);
  const snapshot = await run.takeSnapshot(8);
  expect(snapshot.finite).toBe(true);
  const straight = await steps(run, 9, 20);
  run.restore(snapshot);
  expect(await steps(run, 9, 20)).toEqual(straight);
  const other = await makeRun(gpu(), tiny({ method: { lambda: 2 } }), data);
  other.restore(snapshot);
  expect(await steps(other, 9, 20)).toEqual(straight);
  await run.dispose();
  await other.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('cutting a step into several submits changes nothing', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny(), data);
  const whole = await steps(run, 1, 6);
  await run.dispose();
  const cut = await makeRun(gpu(), tiny(), data);
  const losses: number[] = [];
  for (let t = 1; t <= 6; t++) {
    await cut.ready(t);
    losses.push((await cut.submitStep(t, 5)).record.loss);
  }
  expect(losses).toEqual(whole);
  await cut.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('a learning rate that is far too high halts with the weights of the last good step, and the first bad tensor is named', async () => {
  const data = smallData(gpu());
  // Each step takes weights to -9 times what they were, whatever the gradient: on every device they overflow.
  const run = await makeRun(gpu(), tiny({ train: { lr: 1, weightDecay: 10, gradClip: 0 } }), data);
  let halted = 0;
  for (let t = 1; t <= 60 && halted === 0; t++) {
    await run.ready(t);
    if ((await run.submitStep(t, 1)).halted) halted = t;
  }
  expect(halted).toBeGreaterThan(1);
  const weights = await run.readParameters();
  await run.ready(halted + 1);
  await run.submitStep(halted + 1, 1);
  expect(await run.readParameters()).toEqual(weights);
  // The step behind it has overwritten the gradients: the halted one is done again for the search, and moves nothing.
  const bad = await run.firstBadTensor(halted);
  expect(bad?.count).toBeGreaterThan(0);
  expect(bad?.name).toMatch(/\w/);
  expect(await run.readParameters()).toEqual(weights);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});
