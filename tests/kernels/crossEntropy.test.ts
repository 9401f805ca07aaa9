import { describe, expect, test } from 'vitest';
import type { View } from '../../app/engine/gpu/buffers';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordCrossEntropy } from '../../app/engine/ops/crossEntropy';
import { crossEntropy } from '../reference/crossEntropy';
import { maxError, uniform, useGpu } from '../support/gpu';
import { stepState } from '../support/stepState';

const gpu = useGpu();

describe.each([4, 64] as const)('cross entropy, %i lanes', (lanes) => {
  test.each([
    [1, 1, 0],
    [5, 10, 0],
    [7, 10, 0.1],
    [3, 3, 0.5],
    [2, 131, 0.1],
  ])('%i samples of %i classes, smoothing %f: loss, hits and gradient match float64', async (rows, classes, labelSmoothing) => {
    const g = gpu();
    const data = uniform(rows * classes, 1, -8, 8);
    // A tie for the largest logit goes to the first class that has it.
    if (classes > 2) data.set([9, 9], classes - 2);
    const answers = Int32Array.from({ length: rows }, (_, r) => (r === 0 ? Math.max(0, classes - 2) : (r * 5) % classes));
    const logits = g.upload('logits', data);
    const labels = g.upload('labels', answers);
    const losses = g.buffers.allocate('losses', rows * 4);
    const silent = g.buffers.allocate('silent', rows * 4);
    const correct = g.buffers.allocate('correct', rows * 4);
    const dLogits = g.buffers.allocate('dLogits', rows * classes * 4);
    const recorder = new Recorder(g, 'crossEntropy');
    const common = { rows, classes, labelSmoothing, logits, labels, correct, lanes };
    recordCrossEntropy(recorder, { ...common, losses, dLogits });
    recordCrossEntropy(recorder, { ...common, losses: silent });
    const program = await recorder.build();
    program.run();
    const want = crossEntropy(rows, classes, data, answers, labelSmoothing);
    const got = (await g.readFloats(losses)).subarray(0, rows);
    // Losses reach 20; their rounding is a few units of 2^-24 · 20. Gradients are at most 1.
    expect(maxError(got, want.losses)).toBeLessThan(1e-5);
    expect((await g.readFloats(silent)).subarray(0, rows)).toEqual(got);
    expect(maxError((await g.readFloats(dLogits)).subarray(0, rows * classes), want.dLogits)).toBeLessThan(1e-6);
    expect([...new Uint32Array(await g.read(correct)).subarray(0, rows)]).toEqual(want.correct);
    program.dispose();
    for (const view of [logits, labels, losses, silent, correct, dLogits]) g.buffers.free(view);
    expect(g.buffers.liveBytes).toBe(0);
  });

  test.each([
    [1, 4, 0.1, 0.7, 1],
    [5, 10, 0, 0.7, 20],
    [6, 10, 0.1, 0.2, 6],
    [6, 131, 0.1, 1, 12],
  ])('%i samples of %i classes, smoothing %f, own share %f, a part of %i', async (rows, classes, labelSmoothing, weight, meanOf) => {
    const g = gpu();
    const data = uniform(rows * classes, 3, -3, 3);
    const answers = Int32Array.from({ length: rows }, (_, r) => (r * r) % classes);
    const views = [g.upload('logits', data), g.upload('labels', answers)];
    const [logits, labels] = views as [View, View];
    const out = [rows, rows, rows * classes].map((n) => g.buffers.allocate('out', n * 4));
    const [losses, correct, dLogits] = out as [View, View, View];
    const state = stepState(g, { mix: { kind: 'mixup', weight, box: [0, 0, 0, 0] } });
    const recorder = new Recorder(g, 'mixed');
    recordCrossEntropy(recorder, {
      rows,
      classes,
      labelSmoothing,
      logits,
      labels,
      losses,
      correct,
      dLogits,
      lanes,
      meanOf,
      mix: state.view,
    });
    const program = await recorder.build();
    program.run();
    const want = crossEntropy(rows, classes, data, answers, labelSmoothing, weight, meanOf);
    // As above; losses stay below 10 here.
    expect(maxError((await g.readFloats(losses)).subarray(0, rows), want.losses)).toBeLessThan(5e-6);
    expect(maxError((await g.readFloats(dLogits)).subarray(0, rows * classes), want.dLogits)).toBeLessThan(1e-6);
    expect([...new Uint32Array(await g.read(correct)).subarray(0, rows)]).toEqual(want.correct);
    program.dispose();
    for (const view of [...views, ...out, state.view]) g.buffers.free(view);
  });

  test('logits of 1e4 neither overflow nor lose the loss', async () => {
    const g = gpu();
    const logits = g.upload('logits', new Float32Array([1e4, 0, 0, -1e4]));
    const labels = g.upload('labels', new Int32Array([0, 0]));
    const losses = g.buffers.allocate('losses', 8);
    const correct = g.buffers.allocate('correct', 8);
    const recorder = new Recorder(g, 'large');
    recordCrossEntropy(recorder, { rows: 2, classes: 2, labelSmoothing: 0, logits, labels, losses, correct, lanes });
    const program = await recorder.build();
    program.run();
    expect([...(await g.readFloats(losses)).subarray(0, 2)]).toEqual([0, 0]);
    program.dispose();
    for (const view of [logits, labels, losses, correct]) g.buffers.free(view);
  });
});

test('the float64 gradient agrees with finite differences', () => {
  const [rows, classes, s] = [3, 4, 0.1];
  const logits = Float64Array.from(uniform(rows * classes, 5, -2, 2));
  const labels = [0, 3, 1];
  const value = () => crossEntropy(rows, classes, logits, labels, s).losses.reduce((a, b) => a + b, 0) / rows;
  const { dLogits } = crossEntropy(rows, classes, logits, labels, s);
  const h = 1e-5;
  logits.forEach((v, i) => {
    logits[i] = v + h;
    const up = value();
    logits[i] = v - h;
    const down = value();
    logits[i] = v;
    // Central differences err by h² times the third derivative, below 1e-10 here.
    expect(Math.abs((up - down) / (2 * h) - dLogits[i]!)).toBeLessThan(1e-9);
  });
});
