import { describe, expect, test } from 'vitest';
import { Recorder } from '../../app/engine/gpu/recorder';
import { slice } from '../../app/engine/gpu/buffers';
import {
  layerNormParts,
  layerNormScratch,
  recordLayerNorm,
  recordLayerNormAgain,
  recordLayerNormBackward,
  recordLayerNormBackwardOnce,
} from '../../app/engine/ops/layerNorm';
import { PendingSums } from '../../app/engine/ops/pendingSums';
import { layerNormBackward, layerNormForward } from '../reference/layerNorm';
import { columnSum } from '../reference/patchEmbed';
import { maxError, uniform, useGpu } from '../support/gpu';
import { packHalves, unpackHalves } from '../support/halves';

const gpu = useGpu();
const EPSILON = 1e-6;

describe.each(['rows', 'lanes'] as const)('layer norm, variant %s', (variant) => {
  test.each([
    [1, 1],
    [1, 64],
    [3, 7],
    [67, 33],
    [200, 48],
    [3, 768],
  ])('%i rows of %i: forward and backward match float64, bitwise the same twice', async (rows, cols) => {
    const g = gpu();
    // A mean of 3 makes a one-pass variance lose digits.
    const data = uniform(rows * cols, 1).map((v) => v + 3);
    const gammaData = uniform(cols, 2, 0.5, 1.5);
    const betaData = uniform(cols, 3);
    const dyData = uniform(rows * cols, 4);
    const before = uniform(rows * cols, 5);
    const x = g.upload('x', data);
    const gamma = g.upload('gamma', gammaData);
    const beta = g.upload('beta', betaData);
    const dy = g.upload('dy', dyData);
    const dx = g.upload('dx', before);
    const added = g.upload('added', before);
    const y = g.buffers.allocate('y', rows * cols * 4);
    const stats = g.buffers.allocate('stats', rows * 8);
    const dGamma = g.buffers.allocate('dGamma', cols * 4);
    const dBeta = g.buffers.allocate('dBeta', cols * 4);
    const scratch = g.buffers.allocate('scratch', layerNormScratch(rows, cols) * 4);
    const recorder = new Recorder(g, 'layerNorm');
    recordLayerNorm(recorder, { rows, cols, x, gamma, beta, y, stats, variant });
    const recordedAgain = new Recorder(g, 'layerNorm.again');
    recordLayerNormAgain(recordedAgain, { rows, cols, x, gamma, beta, y, stats, variant });
    const common = { rows, cols, dy, x, stats, gamma, dGamma, dBeta, scratch, variant };
    recordLayerNormBackward(recorder, { ...common, dx });
    recordLayerNormBackward(recorder, { ...common, dx: added, accumulate: true });
    const program = await recorder.build();
    program.run();
    const normalised = await g.readFloats(y);
    g.write(y, new Float32Array(y.size / 4));
    const again = await recordedAgain.build();
    again.run();
    again.dispose();
    expect(await g.readFloats(y)).toEqual(normalised);
    const want = layerNormForward(rows, cols, data, gammaData, betaData, EPSILON);
    const grad = layerNormBackward(rows, cols, data, gammaData, dyData, EPSILON);
    // rstd magnifies the rounding of x − mean (2^-24 · 4) up to rstd times; a single column has rstd = 1000 and y = beta.
    const scale = Math.max(...want.stats.filter((_, i) => i % 2 === 1));
    const atol = 4e-6 * Math.max(1, scale);
    const take = async (view: typeof y, count: number) => (await g.readFloats(view)).subarray(0, count);
    expect(maxError(await take(y, rows * cols), want.y)).toBeLessThan(atol);
    const dxGot = await take(dx, rows * cols);
    expect(maxError(dxGot, grad.dx)).toBeLessThan(atol * Math.max(1, scale));
    const sum = grad.dx.map((v, i) => v + before[i]!);
    expect(maxError(await take(added, rows * cols), sum)).toBeLessThan(atol * Math.max(1, scale));
    // Sums of `rows` terms of size about 1: rounding grows with the chain, at most rows/4 steps of 2^-24 · |sum|.
    const dGammaGot = await take(dGamma, cols);
    expect(maxError(dGammaGot, grad.dGamma)).toBeLessThan(atol * Math.sqrt(rows) * 4);
    expect(maxError(await take(dBeta, cols), grad.dBeta)).toBeLessThan(4e-6 * Math.sqrt(rows));
    program.run();
    expect(await take(dx, rows * cols)).toEqual(dxGot);
    expect(await take(dGamma, cols)).toEqual(dGammaGot);
    program.dispose();
    for (const view of [x, gamma, beta, dy, dx, added, y, stats, dGamma, dBeta, scratch]) g.buffers.free(view);
    expect(g.buffers.liveBytes).toBe(0);
  });
});

test.each([
  ['rows', 1, 4],
  ['rows', 67, 36],
  ['lanes', 5, 12],
  ['lanes', 67, 196],
] as const)('in half precision, variant %s, %i rows of %i: forward, again and backward match float64', async (variant, rows, cols) => {
  const g = gpu();
  const n = rows * cols;
  const data = uniform(n, 1).map((v) => v + 3);
  const gammaData = uniform(cols, 2, 0.5, 1.5);
  const betaData = uniform(cols, 3);
  const dyHalves = packHalves(uniform(n, 4));
  const dyData = unpackHalves(dyHalves);
  const [x, gamma, beta, dy] = [data, gammaData, betaData, dyHalves].map((values, i) => g.upload(`in${i}`, values));
  const made = [n * 2, rows * 8, n * 4, cols * 4, cols * 4, layerNormScratch(rows, cols) * 4];
  const [y, stats, dx, dGamma, dBeta, scratch] = made.map((bytes, i) => g.buffers.allocate(`out${i}`, bytes));
  const common = { rows, cols, x: x!, gamma: gamma!, stats: stats!, halves: true, variant };
  const recorder = new Recorder(g, 'layerNorm.halves');
  recordLayerNorm(recorder, { ...common, beta: beta!, y: y! });
  recordLayerNormBackward(recorder, { ...common, dy: dy!, dx: dx!, dGamma: dGamma!, dBeta: dBeta!, scratch: scratch! });
  const again = new Recorder(g, 'again');
  recordLayerNormAgain(again, { ...common, beta: beta!, y: y! });
  const programs = await Promise.all([recorder.build(), again.build()]);
  programs[0].run();
  const words = new Uint16Array(await g.read(y!)).slice(0, n);
  g.write(y!, new Uint8Array(y!.size));
  programs[1].run();
  expect(new Uint16Array(await g.read(y!)).slice(0, n)).toEqual(words);
  const want = layerNormForward(rows, cols, data, gammaData, betaData, EPSILON);
  const grad = layerNormBackward(rows, cols, data, gammaData, dyData, EPSILON);
  // Normalised numbers stay below 4 · 1.5 + 1 < 8 here, where neighbouring halves are 2^-8 apart. All behind y is as in f32.
  expect(maxError(unpackHalves(words), want.y)).toBeLessThan(2 ** -9 + 4e-5);
  const take = async (view: typeof y, count: number) => (await g.readFloats(view!)).subarray(0, count);
  expect(maxError(await take(dx, n), grad.dx)).toBeLessThan(4e-5);
  expect(maxError(await take(dGamma, cols), grad.dGamma)).toBeLessThan(4e-5 * Math.sqrt(rows));
  expect(maxError(await take(dBeta, cols), grad.dBeta)).toBeLessThan(4e-6 * Math.sqrt(rows));
  for (const program of programs) program.dispose();
  g.buffers.freeAll();
});

test('the float64 backward pass agrees with finite differences', () => {
  const [rows, cols] = [3, 5];
  const x = Float64Array.from(uniform(rows * cols, 7));
  const gamma = Float64Array.from(uniform(cols, 8, 0.5, 1.5));
  const beta = Float64Array.from(uniform(cols, 9));
  const dy = uniform(rows * cols, 10);
  const value = () => layerNormForward(rows, cols, x, gamma, beta, EPSILON).y.reduce((sum, v, i) => sum + v * dy[i]!, 0);
  const { dx, dGamma, dBeta } = layerNormBackward(rows, cols, x, gamma, dy, EPSILON);
  const h = 1e-5;
  for (const [at, grad] of [
    [x, dx],
    [gamma, dGamma],
    [beta, dBeta],
  ] as const)
    at.forEach((v, i) => {
      at[i] = v + h;
      const up = value();
      at[i] = v - h;
      const down = value();
      at[i] = v;
      // Central differences err by h² times the third derivative, about 1e-8 here.
      expect(Math.abs((up - down) / (2 * h) - grad[i]!)).toBeLessThan(1e-7);
    });
});

test.each([
  [1, 4, false],
  [67, 36, false],
  [37, 200, true],
])('the backward pass in one, %i rows of %i, half precision %s: matches float64, bitwise the same twice', async (rows, cols, halves) => {
  const g = gpu();
  const n = rows * cols;
  const data = uniform(n, 1).map((v) => v + 3);
  const gammaData = uniform(cols, 2, 0.5, 1.5);
  const dyHalves = packHalves(uniform(n, 4));
  const dyData = unpackHalves(dyHalves);
  const before = uniform(n, 5);
  const want = layerNormForward(rows, cols, data, gammaData, new Float32Array(cols), EPSILON);
  const grad = layerNormBackward(rows, cols, data, gammaData, dyData, EPSILON);
  const [x, gamma, dy, stats] = [data, gammaData, halves ? dyHalves : dyData, Float32Array.from(want.stats)].map((values, i) =>
    g.upload(`in${i}`, values),
  );
  const grads = g.buffers.allocate('grads', 3 * 1024 * 4);
  const [dGamma, dBeta, dSum] = [0, 1, 2].map((i) => slice(grads, 1024 * i, cols));
  const room = g.buffers.allocate('room', layerNormParts(rows, cols) * 4);
  const take = async (view: typeof x, count: number) => (await g.readFloats(view!)).subarray(0, count);
  const rounding = 4e-5 * Math.sqrt(rows);
  for (const accumulate of [false, true]) {
    const dx = g.upload('dx', before);
    const recorder = new Recorder(g, 'once');
    const sums = new PendingSums(room);
    const args = { rows, cols, dy: dy!, x: x!, stats: stats!, gamma: gamma!, dx, accumulate, dGamma: dGamma!, dBeta: dBeta!, dSum, halves };
    recordLayerNormBackwardOnce(recorder, sums, args);
    sums.record(recorder, 'finish');
    expect(recorder.length).toBe(2);
    const program = await recorder.build();
    program.run();
    const result = grad.dx.map((v, i) => v + (accumulate ? before[i]! : 0));
    // As of the kernels above, whose bounds these are.
    expect(maxError(await take(dx, n), result)).toBeLessThan(4e-5);
    const got = await g.readFloats(grads);
    expect(maxError(got.subarray(0, cols), grad.dGamma)).toBeLessThan(rounding);
    expect(maxError(got.subarray(1024, 1024 + cols), grad.dBeta)).toBeLessThan(rounding);
    expect(maxError(got.subarray(2048, 2048 + cols), columnSum(rows, cols, result, 0))).toBeLessThan(rounding);
    g.write(dx, before);
    program.run();
    expect(await g.readFloats(grads)).toEqual(got);
    program.dispose();
  }
  g.buffers.freeAll();
});
