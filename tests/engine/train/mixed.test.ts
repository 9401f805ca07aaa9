import { expect, test } from 'vitest';
import { checkpointPieces, readCheckpoint, snapshotFor } from '../../../app/engine/train/checkpoint';
import { History } from '../../../app/engine/train/history';
import { lookAt } from '../../../app/engine/train/inspector';
import type { Run } from '../../../app/engine/train/run';
import { Trainer } from '../../../app/engine/train/trainer';
import type { Event } from '../../../app/protocol/messages';
import { joined } from '../../../app/engine/train/safetensors';
import { FIRST_LOSS_SCALE } from '../../../app/engine/optim/config';
import { lossScaleState, readLossScale } from '../../../kernels/lossScale/lossScale';
import type { DeepPartial, Experiment } from '../../../app/protocol/experiment';
import { relativeError, uniform, useGpu } from '../../support/gpu';
import { makeRun, smallData, steps, tiny } from './support';

const gpu = useGpu();
const mixed = (patch: DeepPartial<Experiment> = {}, precision: 'f32' | 'mixed' = 'mixed'): Experiment =>
  tiny({ ...patch, train: { ...patch.train, precision } });

test.each([
  ['adamq3r', { accumulate: 2, recompute: true, mixup: 0.2 }],
  ['q3r', { emaDecay: 0.9, augment: 'basic' }],
] as const)('%s: twenty steps in mixed precision follow those in f32, and are the same bit for bit twice', async (name, train) => {
  const data = smallData(gpu());
  const patch = { method: { name, lambda: name === 'q3r' ? 0.005 : 0.5 }, train };
  const results: { losses: number[]; norms: number[]; validation: number; bytes: number }[] = [];
  for (const [precision, count] of [
    ['f32', 20],
    ['mixed', 20],
    ['mixed', 5],
  ] as const) {
    const run = await makeRun(gpu(), mixed(patch, precision), data);
    const [losses, norms]: [number[], number[]] = [[], []];
    for (let t = 1; t <= count; t++) {
      await run.ready(t);
      const { record } = await run.submitStep(t, 1);
      losses.push(record.loss);
      norms.push(record.gradNorm);
    }
    results.push({ losses, norms, validation: count < 20 ? NaN : (await run.evaluate(64)).loss, bytes: gpu().buffers.liveBytes });
    await run.dispose();
  }
  const [single, half, again] = results as [(typeof results)[0], (typeof results)[0], (typeof results)[0]];
  expect([again.losses, again.norms]).toEqual([half.losses.slice(0, 5), half.norms.slice(0, 5)]);
  expect(half.bytes).toBeLessThan(single.bytes);
  expect(half.losses).not.toEqual(single.losses);
  // A half has 11 digits: a store errs by 2^-13 = 1e-4 of the number on average, and what is summed over many of them by less. The
  // first loss differs in the 1e-6, and through the weights of twenty steps losses part by at most 8e-5 here; the band is ten times
  // that, a thousandth of how far such curves fall. Gradients, which have no scale in them any more, have a hundredth.
  single.losses.forEach((loss, i) => expect(Math.abs(half.losses[i]! - loss), `loss ${i + 1}`).toBeLessThan(i === 0 ? 1e-4 : 1e-3));
  single.norms.forEach((norm, i) => expect(Math.abs(half.norms[i]! / norm - 1), `norm ${i + 1}`).toBeLessThan(0.01));
  expect(Math.abs(half.validation - single.validation)).toBeLessThan(1e-3);
  data.train.dispose();
  data.test.dispose();
});

test('gradients and predictions of a batch given by hand are nearly those of f32, freed of the loss scale', async () => {
  const images = uniform(3 * 3 * 32 * 32, 1);
  const batch = { images, labels: Int32Array.of(1, 0, 6) };
  const runs = await Promise.all([makeRun(gpu(), mixed({}, 'f32')), makeRun(gpu(), mixed())]);
  const [single, half] = await Promise.all(runs.map((run) => run.gradients(batch)));
  // Each element is a sum over all tokens of products of two halves: as good as one of them, 2^-11, where few cancel.
  expect(relativeError(half!.grads, single!.grads)).toBeLessThan(5e-3);
  expect(half!.grads).not.toEqual(single!.grads);
  const logits = await Promise.all(runs.map((run) => run.predict(images)));
  expect(relativeError(logits[1]!, logits[0]!)).toBeLessThan(2e-3);
  expect(logits[1]).toEqual(half!.logits);
  // By two thin products of every matrix at its full rank, which round in another order.
  const factored = await (await runs[1].truncation()).predict(images, { energy: 1 });
  expect(relativeError(factored, logits[1]!)).toBeLessThan(2e-3);
  const { config, tuning, evaluated, halves } = runs[1];
  const [look] = await lookAt(gpu(), { config, batch: 3, training: false, tuning, halves }, images, [{ params: evaluated }]);
  expect(look!.logits).toEqual(logits[1]);
  const tokens = 17;
  for (let row = 0; row < look!.attention.length; row += tokens)
    expect(look!.attention.subarray(row, row + tokens).reduce((a, b) => a + b)).toBeCloseTo(1, 4);
  for (const run of runs) await run.dispose();
});

test('a run goes on through an overflow: the step is skipped, the scale halved, and a checkpoint holds it', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), mixed(), data);
  const scaleOf = async (r: Run) => readLossScale(await gpu().read(r.views.scaling!));
  expect(await scaleOf(run)).toEqual({ scale: FIRST_LOSS_SCALE, good: 0, skips: 0 });
  const submit = async (r: Run, t: number) => {
    await r.ready(t);
    return r.submitStep(t, 1);
  };
  expect(await submit(run, 1)).toMatchObject({ halted: false, skipped: false, lossScale: FIRST_LOSS_SCALE });
  const weights = await run.readParameters();
  // So large that gradients stored as halves overflow, whatever the model.
  gpu().write(run.views.scaling!, lossScaleState(2 ** 40));
  const overflow = await submit(run, 2);
  expect(overflow).toMatchObject({ halted: false, skipped: true, lossScale: 2 ** 39 });
  expect(Number.isFinite(overflow.record.loss)).toBe(true);
  expect(await run.readParameters()).toEqual(weights);
  gpu().write(run.views.scaling!, lossScaleState(512));
  const good = await submit(run, 3);
  expect(good).toMatchObject({ skipped: false, lossScale: 512 });
  expect(await run.readParameters()).not.toEqual(weights);

  const history = new History(1);
  for (const result of [await submit(run, 4), await submit(run, 5)]) history.push({ ...result.record, step: history.length + 1 });
  const snapshot = await run.takeSnapshot(5);
  const { experiment } = run;
  const description = {
    ...{ version: 1, step: 2, elapsedMs: 1, marks: [], data: null, device: '', tuning: '', page: '', date: 1, accuracy: null, loss: null },
  };
  const checkpoint = { experiment, description, records: history.packed(1), evaluations: [] };
  const read = readCheckpoint(joined(await checkpointPieces(checkpoint, snapshot, run.stateLayout, run.tables)));
  expect(read.experiment.train.precision).toBe('mixed');
  const next = await steps(run, 6, 8);
  const other = await makeRun(gpu(), read.experiment, data);
  other.restore({ ...snapshotFor(read, other.stateLayout, other.tables, await other.rank.saveState()), step: 5 });
  expect(await scaleOf(other)).toEqual({ scale: 512, good: 3, skips: 0 });
  expect(await steps(other, 6, 8)).toEqual(next);
  // Weights that are put in begin a run of their own.
  await other.writeParameters(weights);
  expect((await scaleOf(other)).scale).toBe(FIRST_LOSS_SCALE);
  await run.dispose();
  await other.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('the trainer tells of a skipped step as a mark and trains on, and stops where no scale helps', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), mixed(), data);
  const events: Event[] = [];
  const trainer = new Trainer(run, 1, (event) => events.push(event));
  expect(await trainer.steps(1, true)).toMatchObject([{ step: 1, lossScale: FIRST_LOSS_SCALE }]);
  gpu().write(run.views.scaling!, lossScaleState(2 ** 40));
  expect(await trainer.steps(1, true)).toMatchObject([{ step: 2, gradNorm: Infinity }]);
  const mark = { step: 2, field: 'train.lossScale', from: FIRST_LOSS_SCALE, to: 2 ** 39 };
  expect(events).toContainEqual({ type: 'mark', runId: 1, mark });
  gpu().write(run.views.scaling!, lossScaleState(1024));
  expect(await trainer.steps(1, true)).toMatchObject([{ step: 3, lossScale: 2 ** 39 }]);
  expect(trainer.records().map(({ lossScale }) => lossScale)).toEqual([FIRST_LOSS_SCALE, FIRST_LOSS_SCALE, 2 ** 39]);
  expect(trainer.marks.at(-1)).toMatchObject({ step: 3, to: 1024 });
  // A gradient that overflows without any scale: the head's weights for the first class are huge.
  gpu().write(run.views.scaling!, lossScaleState(1));
  const huge = (await run.readParameters()).slice();
  const { offset } = run.table.byName.get('head.weight')!;
  for (let i = 0; i < run.config.embedDim; i++) huge[offset + i] = i % 3 === 0 ? 3e9 : -3e9;
  gpu().write(run.views.params, huge);
  await expect(trainer.steps(1, true)).rejects.toThrow('The gradient overflowed half precision at step 4, even with a loss scale of 1');
  expect(trainer.phase).toBe('failed');
  await trainer.dispose();
  data.train.dispose();
  data.test.dispose();
});
