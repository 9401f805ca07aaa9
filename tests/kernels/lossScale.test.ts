import { afterEach, describe, expect, test } from 'vitest';
import { GUARD_BYTES, readGuard } from '../../kernels/gradNorm/gradNorm';
import { lossScaleState, readLossScale } from '../../kernels/lossScale/lossScale';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordCrossEntropy } from '../../app/engine/ops/crossEntropy';
import { Adam } from '../../app/engine/optim/adam';
import { recordEma } from '../../app/engine/optim/ema';
import { gradNormScratchBytes, recordGradNorm } from '../../app/engine/optim/gradNorm';
import { recordUnscale } from '../../app/engine/optim/lossScale';
import { crossEntropy } from '../reference/crossEntropy';
import { maxError, uniform, useGpu } from '../support/gpu';
import { stepState } from '../support/stepState';

const gpu = useGpu();
afterEach(() => gpu().buffers.freeAll());

test.each([false, true])('the gradient of the loss is scaled, the loss is not (labels mixed: %s)', async (mixed) => {
  const g = gpu();
  const [rows, classes] = [5, 7];
  const data = uniform(rows * classes, 1, -8, 8);
  const answers = Int32Array.from({ length: rows }, (_, r) => (r * 3) % classes);
  const [losses, correct, dLogits] = [rows, rows, rows * classes].map((n) => g.buffers.allocate('out', n * 4));
  const state = stepState(g, { mix: { kind: 'mixup', weight: 0.7, box: [0, 0, 0, 0] } });
  const recorder = new Recorder(g, 'scaled');
  recordCrossEntropy(recorder, {
    ...{ rows, classes, labelSmoothing: 0.1, logits: g.upload('logits', data), labels: g.upload('labels', answers) },
    ...{ losses: losses!, correct: correct!, dLogits: dLogits!, scaling: g.upload('scaling', new Uint8Array(lossScaleState(1024))) },
    mix: mixed ? state.view : undefined,
  });
  (await recorder.build()).run();
  const want = crossEntropy(rows, classes, data, answers, 0.1, mixed ? 0.7 : 1);
  expect(maxError((await g.readFloats(losses!)).subarray(0, rows), want.losses)).toBeLessThan(1e-5);
  const gradient = (await g.readFloats(dLogits!)).subarray(0, rows * classes);
  expect(
    maxError(
      gradient,
      want.dLogits.map((d) => 1024 * d),
    ),
  ).toBeLessThan(1024e-6);
});

test('gradients are freed of the scale exactly, in windows of an arena, too', async () => {
  const g = gpu();
  const data = uniform(1000, 3);
  const grads = g.upload('grads', data);
  const rec = new Recorder(g, 'unscale');
  recordUnscale(rec, { scaling: g.upload('scaling', new Uint8Array(lossScaleState(4096))), grads, maxBinding: 1024 });
  expect(rec.length).toBe(4);
  (await rec.build()).run();
  expect(await g.readFloats(grads)).toEqual(data.map((x) => x / 4096));
});

describe('a step', () => {
  /** One step of Adam and the running average behind the verdict on a gradient of eight elements. */
  async function setUp(scale: number, good = 0) {
    const g = gpu();
    const grads = g.buffers.allocate('grads', 32);
    const losses = g.upload('losses', Float32Array.of(1.5));
    const guard = g.buffers.allocate('guard', GUARD_BYTES);
    const words = new Uint32Array(lossScaleState(scale));
    words[1] = good;
    const scaling = g.upload('scaling', words);
    const params = g.upload('params', new Float32Array(8).fill(1));
    const average = g.upload('average', new Float32Array(8).fill(2));
    const state = stepState(g, { step: 5, emaDecay: 0.5 });
    const adam = new Adam(g, { elements: 8 });
    const rec = new Recorder(g, 'step');
    const scratch = g.buffers.allocate('scratch', gradNormScratchBytes(g, 8));
    recordGradNorm(rec, {
      grads,
      losses,
      correct: g.upload('hits', Uint32Array.of(1)),
      batch: 1,
      state: state.view,
      guard,
      scratch,
      scaling,
    });
    adam.recordUpdate(rec, { params, grads, state: state.view, guard });
    recordEma(rec, { weights: params, average, state: state.view, guard });
    const program = await rec.build();
    return async (gradient: number, loss = 1.5) => {
      g.write(grads, new Float32Array(8).fill(gradient));
      g.write(losses, Float32Array.of(loss));
      program.run();
      const [w, a, m] = await Promise.all([params, average, adam.m].map((view) => g.readFloats(view)));
      return { ...readGuard(await g.read(guard)), ...readLossScale(await g.read(scaling)), w: w![0]!, a: a![0]!, m: m![0]! };
    };
  }

  test('whose gradient overflows is skipped with nothing updated, and the next has half the scale', async () => {
    const step = await setUp(8192, 7);
    const untouched = { skipped: true, halted: false, good: 0, w: 1, a: 2, m: 0 };
    expect(await step(NaN)).toMatchObject({ ...untouched, scale: 4096, skips: 1 });
    expect(await step(Infinity)).toMatchObject({ ...untouched, scale: 2048, skips: 2 });
    const after = await step(0.5);
    expect(after).toMatchObject({ skipped: false, halted: false, scale: 2048, good: 1, skips: 2 });
    expect(after.w).toBeLessThan(1);
    expect(after.a).toBeLessThan(2);
    expect(after.m).toBeGreaterThan(0);
  });

  test('in a long row without an overflow doubles the scale, up to 65536', async () => {
    let step = await setUp(32768, 1998);
    expect(await step(0.5)).toMatchObject({ scale: 32768, good: 1999 });
    expect(await step(0.5)).toMatchObject({ scale: 65536, good: 0 });
    step = await setUp(65536, 1999);
    expect(await step(0.5)).toMatchObject({ scale: 65536, good: 0 });
  });

  test('halts the run where the loss is not finite, or the gradient is not at the lowest scale', async () => {
    let step = await setUp(8192);
    expect(await step(NaN, NaN)).toMatchObject({ halted: true, skipped: false, scale: 8192, w: 1 });
    step = await setUp(2);
    expect(await step(NaN)).toMatchObject({ halted: false, skipped: true, scale: 1 });
    expect(await step(NaN)).toMatchObject({ halted: true, haltStep: 5, skipped: false, scale: 1, w: 1 });
    // It stays so, and the scale with it.
    expect(await step(0.5)).toMatchObject({ halted: true, scale: 1, good: 0, w: 1 });
  });
});
