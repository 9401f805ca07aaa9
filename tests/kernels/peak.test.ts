import { afterEach, expect, test } from 'vitest';
import { PEAK_WORKGROUP, copyKernel, fmaFlops, fmaKernel, readKernel, streamElements } from '../../kernels/peak/peak';
import { Recorder, type DispatchOptions } from '../../app/engine/gpu/recorder';
import type { KernelSpec } from '../../kernels/spec';
import { maxError, uniform, useGpu } from '../support/gpu';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

const run = async (spec: KernelSpec, options: DispatchOptions): Promise<void> =>
  (await new Recorder(gpu(), 'peak').dispatch(spec, options).build()).run();

test.each([1, 2, 8])('every multiply-add of %d accumulators is made', async (tile) => {
  const [groups, turns, x, y] = [2, 3, 0.75, 0.5];
  const n = groups * PEAK_WORKGROUP;
  const sums = gpu().buffers.allocate('sums', n * 4);
  await run(fmaKernel(tile), { params: { turns, x, y }, buffers: [sums], grid: [groups, 1, 1] });
  // 2 operations, 4 elements, 8 times a turn.
  expect(fmaFlops(tile, turns, n)).toBe(2 * 4 * tile * 8 * turns * n);
  const want = Float64Array.from({ length: n }, (_, t) => {
    let sum = 0;
    for (let i = 0; i < tile; i++)
      for (let c = 0; c < 4; c++) {
        let a = (t % 64) / 64 + i + c / 4;
        for (let k = 0; k < 8 * turns; k++) a = a * x + y;
        sum += a;
      }
    return sum;
  });
  // 4 tile numbers near 2, each rounded 24 times while earlier errors shrink.
  expect(maxError(await gpu().readFloats(sums), want)).toBeLessThan(1e-5 * tile);
});

test('a stream reads and writes every element once', async () => {
  const groups = 3;
  // Whole turns of the loop only, and two of them.
  const n4 = streamElements(2 * groups * 256 + 200, groups);
  expect(n4).toBe(2 * groups * 256);
  const data = uniform(4 * n4, 1);
  const input = gpu().upload('input', data);
  const out = gpu().buffers.allocate('out', 16 * n4);
  const sums = gpu().buffers.allocate('sums', groups * PEAK_WORKGROUP * 4);
  await run(copyKernel, { params: { n4 }, buffers: [input, out], grid: [groups, 1, 1] });
  expect(await gpu().readFloats(out)).toEqual(data);
  await run(readKernel, { params: { n4 }, buffers: [input, sums], grid: [groups, 1, 1] });
  const want = new Float64Array(groups * PEAK_WORKGROUP);
  data.forEach((v, i) => (want[(i >> 2) % want.length]! += v));
  // 32 numbers below 1.
  expect(maxError(await gpu().readFloats(sums), want)).toBeLessThan(1e-5);
});
