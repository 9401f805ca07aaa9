import { expect, test } from 'vitest';
import { ConfigError } from '../../../app/protocol/experiment';
import { evaluationBatch } from '../../../app/engine/train/recipe';
import { resolveModel } from '../../../app/engine/train/datasets';
import { presetExperiment } from '../../../app/protocol/presets';
import type { StepRecord } from '../../../app/protocol/messages';
import type { Run } from '../../../app/engine/train/run';
import { maxError, uniform, useGpu } from '../../support/gpu';
import { makeRun, smallData, steps, tiny } from './support';

const gpu = useGpu();

async function records(run: Run, count: number, submits = 1): Promise<StepRecord[]> {
  const out: StepRecord[] = [];
  for (let t = 1; t <= count; t++) {
    await run.ready(t);
    out.push((await run.submitStep(t, submits)).record);
  }
  return out;
}

test('a batch in parts makes the step of the whole batch, reported for all of it', async () => {
  const data = smallData(gpu(), 64, 16);
  const before = gpu().buffers.liveBytes;
  const runs: { first: StepRecord[]; weights: Float32Array; bytes: number }[] = [];
  for (const accumulate of [1, 3]) {
    // Q3R in the loss: its gradient joins that of the whole batch, once.
    const method = { name: 'q3r', lambda: 0.01 } as const;
    const run = await makeRun(gpu(), tiny({ model: { depth: 1 }, method, train: { batchSize: 12, accumulate, augment: 'basic' } }), data);
    const first = await records(run, 3);
    runs.push({ first, weights: await run.readParameters(), bytes: gpu().buffers.liveBytes });
    await run.dispose();
  }
  expect(gpu().buffers.liveBytes).toBe(before);
  const [whole, ...parts] = runs as [(typeof runs)[0], ...typeof runs];
  for (const { first, weights } of parts) {
    first.forEach((record, i) => {
      const want = whole.first[i]!;
      // The same sums in another order; from the second step on Adam has magnified their rounding.
      const tolerance = i === 0 ? 2e-6 : 2e-4;
      expect(Math.abs(record.loss - want.loss)).toBeLessThan(tolerance * want.loss);
      expect(Math.abs(record.gradNorm - want.gradNorm)).toBeLessThan(10 * tolerance * want.gradNorm);
      expect(record).toMatchObject({ accuracy: want.accuracy, epoch: want.epoch, step: i + 1 });
    });
    // A step moves a weight by at most lr = 2e-3; where the gradient is rounding noise its sign may differ.
    const far = weights.filter((w, i) => Math.abs(w - whole.weights[i]!) > 1e-4).length;
    expect(far).toBeLessThan(weights.length / 100);
  }
  for (const set of [data.train, data.test]) set.dispose();
});

test('the whole recipe at another image size: two runs agree bit for bit, however they are cut', async () => {
  const data = smallData(gpu(), 64, 16);
  const before = gpu().buffers.liveBytes;
  const experiment = tiny({
    model: { imageSize: 40, pool: 'avg', depth: 1 },
    train: {
      batchSize: 12,
      accumulate: 2,
      augment: 'strong',
      mixup: 0.8,
      cutmix: 1,
      labelSmoothing: 0.1,
      emaDecay: 0.9,
      optimizer: 'adam',
      weightDecay: 0.01,
    },
  });
  const curves: StepRecord[][] = [];
  const evaluations: unknown[] = [];
  for (const submits of [1, 4]) {
    const run = await makeRun(gpu(), experiment, data);
    curves.push(await records(run, 6, submits));
    evaluations.push(await run.evaluate(16));
    await run.dispose();
  }
  expect(gpu().buffers.liveBytes).toBe(before);
  expect(curves[1]).toEqual(curves[0]);
  expect(evaluations[1]).toEqual(evaluations[0]);
  expect(curves[0]!.every(({ loss, gradNorm }) => Number.isFinite(loss) && gradNorm > 0)).toBe(true);
  for (const set of [data.train, data.test]) set.dispose();
});

test('the running average is that of the weights after each step; it is what evaluation reads, and resumes bitwise', async () => {
  const data = smallData(gpu(), 64, 16);
  const experiment = tiny({ model: { depth: 1 }, train: { batchSize: 8, emaDecay: 0.8, lr: 0.02 } });
  const run = await makeRun(gpu(), experiment, data);
  const want = Float64Array.from(await run.readParameters());
  expect([...(await gpu().readFloats(run.evaluated))]).toEqual([...want]);
  await steps(run, 1, 4, async (t) => {
    const d = Math.min(0.8, (1 + t) / (10 + t));
    (await run.readParameters()).forEach((w, i) => (want[i] = d * want[i]! + (1 - d) * w));
  });
  const average = await gpu().readFloats(run.evaluated);
  // Four rounded updates of numbers up to 1.
  expect(maxError(average, want)).toBeLessThan(1e-6);
  const images = uniform(3 * 32 * 32, 2);
  const dense = await makeRun(gpu(), tiny({ model: { depth: 1 } }), undefined);
  await dense.writeParameters(average);
  expect(await run.predict(images)).toEqual(await dense.predict(images));
  await dense.dispose();

  const snapshot = await run.takeSnapshot(4);
  // Other weights are another start.
  const fresh = await makeRun(gpu(), experiment);
  await fresh.writeParameters(average);
  expect(await gpu().readFloats(fresh.evaluated)).toEqual(average);
  await fresh.dispose();
  await steps(run, 5, 7);
  const straight = await gpu().readFloats(run.evaluated);
  const other = await makeRun(gpu(), experiment, data);
  other.restore(snapshot);
  await steps(other, 5, 7);
  expect(await gpu().readFloats(other.evaluated)).toEqual(straight);
  await run.dispose();
  await other.dispose();
  for (const set of [data.train, data.test]) set.dispose();
});

test('a batch given by hand is not mixed and passes whole', async () => {
  const losses: number[] = [];
  for (const train of [{}, { mixup: 1, cutmix: 1, accumulate: 2 }]) {
    const run = await makeRun(gpu(), tiny({ model: { depth: 1 }, train: { batchSize: 4, ...train } }));
    const batch = { images: uniform(5 * 3 * 32 * 32, 3), labels: Int32Array.of(1, 2, 3, 4, 5) };
    losses.push((await run.submitBatch(1, batch)).record.loss);
    await run.dispose();
  }
  expect(losses[1]).toBe(losses[0]);
});

test('images of other channels than the model takes are refused by name', async () => {
  const data = smallData(gpu(), 16, 16);
  const run = await makeRun(gpu(), tiny({ model: { inChannels: 1, depth: 1 } }));
  await expect(run.attach(data)).rejects.toThrow(ConfigError);
  await expect(run.attach(data)).rejects.toThrow(/Image channels must be 3/);
  await run.dispose();
  for (const set of [data.train, data.test]) set.dispose();
});

test('an evaluation pass takes as many images as the buffers of the training model hold, or a little more', () => {
  const passOf = (key: string) => evaluationBatch(presetExperiment(key), resolveModel(presetExperiment(key)));
  expect(passOf('nano')).toBe(64);
  expect(passOf('tiny')).toBe(128);
  expect(passOf('base')).toBeLessThan(64);
  expect(passOf('base')).toBeGreaterThan(2);
});
