import { expect, test } from 'vitest';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordGeluBackward } from '../../app/engine/ops/gelu';
import { maxError, uniform, useGpu } from '../support/gpu';
import { packHalves, unpackHalves } from '../support/halves';

const gpu = useGpu();

/** Φ by Simpson's rule on the density, to about 1e-13. */
function normalCdf(x: number): number {
  const n = 2000;
  const h = x / n;
  const density = (t: number): number => Math.exp(-0.5 * t * t) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < n; i++) sum += density(i * h) * (i % 2 === 1 ? 4 : 2);
  return 0.5 + (sum * h) / 3;
}
const gelu = (x: number): number => x * normalCdf(x);
const derivative = (x: number): number => normalCdf(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);

test.each([1, 63, 257, 1031])(
  'GELU backward of %i elements matches the exact derivative, and leaves the output in the place of the input',
  async (count) => {
    const g = gpu();
    const preData = count === 1 ? new Float32Array([0]) : uniform(count, 1, -7, 7);
    const gradData = uniform(count, 2);
    const pre = g.upload('pre', preData);
    const grad = g.upload('grad', gradData);
    const recorder = new Recorder(g, 'gelu');
    recordGeluBackward(recorder, { count, pre, grad });
    const program = await recorder.build();
    program.run();
    const want = Array.from(preData, (x, i) => gradData[i]! * derivative(x));
    // erf is approximated within 1e-6 absolute; the derivative has half of that and the rounding of terms below 1.2.
    expect(maxError((await g.readFloats(grad)).subarray(0, count), want)).toBeLessThan(1e-6);
    // The cumulative distribution is good to half of that, times |x| of at most 7.
    expect(maxError((await g.readFloats(pre)).subarray(0, count), Array.from(preData, gelu))).toBeLessThan(3.5e-6);
    program.dispose();
    for (const view of [pre, grad]) g.buffers.free(view);
    expect(g.buffers.liveBytes).toBe(0);
  },
);

test.each([4, 300])('in half precision %i elements, and what a half cannot hold becomes NaN', async (count) => {
  const g = gpu();
  const preHalves = packHalves(uniform(count, 1, -7, 7));
  const gradHalves = packHalves(uniform(count, 2, -300, 300));
  // GELU's slope is above one at 1.5, so that its product passes 65504.
  preHalves.set(packHalves([1.5, 1.5]));
  gradHalves.set(packHalves([65504, -65504]));
  const pre = g.upload('pre', preHalves);
  const grad = g.upload('grad', gradHalves);
  const recorder = new Recorder(g, 'gelu.halves');
  recordGeluBackward(recorder, { count, pre, grad, halves: true });
  const program = await recorder.build();
  program.run();
  const read = async (view: typeof pre) => unpackHalves(new Uint16Array(await g.read(view)).subarray(0, count));
  const before = unpackHalves(preHalves);
  const gradient = await read(grad);
  expect([...gradient.subarray(0, 2)]).toEqual([NaN, NaN]);
  // A half has 11 digits: half a unit of the last at 340 is 2^-3, and 2^-9 at 7.
  const want = Array.from(unpackHalves(gradHalves), (d, i) => d * derivative(before[i]!));
  expect(maxError(gradient.subarray(2), want.slice(2))).toBeLessThan(2 ** -3 * 1.01);
  expect(maxError(await read(pre), Array.from(before, gelu))).toBeLessThan(2 ** -9 * 1.01);
  program.dispose();
  for (const view of [pre, grad]) g.buffers.free(view);
});

test('the reference derivative agrees with finite differences', () => {
  const h = 1e-4;
  for (let x = -5; x <= 5; x += 0.37) expect(Math.abs((gelu(x + h) - gelu(x - h)) / (2 * h) - derivative(x))).toBeLessThan(1e-7);
});
