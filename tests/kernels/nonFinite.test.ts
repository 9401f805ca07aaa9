import { afterEach, expect, test } from 'vitest';
import { countNonFinite } from '../../app/engine/optim/nonFinite';
import { uniform, useGpu } from '../support/gpu';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

const SEGMENTS = [
  { offset: 0, length: 1 },
  { offset: 64, length: 63 },
  { offset: 128, length: 65 },
  { offset: 256, length: 1000 },
];

test.each([undefined, 512, 1024])('values that are not finite are counted by segment (binding of at most %s bytes)', async (maxBinding) => {
  const g = gpu();
  const values = uniform(1280, 1);
  // Neighbours of infinity: the largest finite float32, a subnormal, and zero of either sign.
  values.set([3.4028234663852886e38, -3.4028234663852886e38, 1e-42, -0], 300);
  values[64] = NaN;
  values[126] = Infinity;
  for (const i of [256, 300 + 4, 1000, 1255]) values[i] = i % 2 ? -Infinity : NaN;
  // Between segments: nobody's.
  values[127] = NaN;
  values[1256] = NaN;
  const arena = g.upload('arena', values);
  const live = g.buffers.liveBytes;
  expect(await countNonFinite(g, arena, SEGMENTS, maxBinding)).toEqual([0, 2, 0, 4]);
  expect(g.buffers.liveBytes).toBe(live);
  values[0] = -NaN;
  g.write(arena, values);
  expect((await countNonFinite(g, arena, SEGMENTS, maxBinding))[0]).toBe(1);
  expect(await countNonFinite(g, arena, [])).toEqual([]);
});
