import { expect, test } from 'vitest';
import { Recorder } from '../../app/engine/gpu/recorder';
import { columnSumScratch, recordColumnSum } from '../../app/engine/ops/reduce';
import { columnSum } from '../reference/patchEmbed';
import { maxError, uniform, useGpu } from '../support/gpu';
import { packHalves, unpackHalves } from '../support/halves';

const gpu = useGpu();

test.each([
  [1, 1, 0],
  [5, 3, 1],
  [64, 65, 0],
  [65, 7, 0],
  [131, 70, 2],
  [2080, 5, 0],
])('column sums of %i × %i from row %i on match float64, bitwise the same twice', async (rows, cols, from) => {
  const g = gpu();
  const data = uniform(rows * cols, rows, 0, 1);
  const input = g.upload('input', data);
  const out = g.buffers.allocate('out', cols * 4);
  const scratch = g.buffers.allocate('scratch', columnSumScratch(rows - from, cols) * 4);
  const recorder = new Recorder(g, 'columnSum');
  recordColumnSum(recorder, { rows: rows - from, cols, input, out, scratch, first: from * cols });
  const program = await recorder.build();
  program.run();
  const got = (await g.readFloats(out)).subarray(0, cols);
  const want = columnSum(rows, cols, data, from);
  // Chains of about 2 √rows / 4 additions, each rounding by at most 2^-24 of a sum of positive terms.
  expect(maxError(got, want) / Math.max(1, ...want)).toBeLessThan(2 ** -24 * (4 + Math.sqrt(rows)));
  program.run();
  expect((await g.readFloats(out)).subarray(0, cols)).toEqual(got);
  program.dispose();
  for (const view of [input, out, scratch]) g.buffers.free(view);
  expect(g.buffers.liveBytes).toBe(0);
});

test.each([
  [1, 4, 0],
  [65, 12, 0],
  [131, 68, 2],
])('in half precision %i × %i from row %i on', async (rows, cols, from) => {
  const g = gpu();
  const halves = packHalves(uniform(rows * cols, rows, 0, 1));
  const input = g.upload('input', halves);
  const out = g.buffers.allocate('out', cols * 4);
  const scratch = g.buffers.allocate('scratch', columnSumScratch(rows - from, cols) * 4);
  const recorder = new Recorder(g, 'columnSum.halves');
  recordColumnSum(recorder, { rows: rows - from, cols, input, halves: true, out, scratch, first: from * cols });
  const program = await recorder.build();
  program.run();
  const want = columnSum(rows, cols, unpackHalves(halves), from);
  // As above, in chains twice as long.
  const error = maxError((await g.readFloats(out)).subarray(0, cols), want);
  expect(error / Math.max(1, ...want)).toBeLessThan(2 ** -24 * (4 + 2 * Math.sqrt(rows)));
  program.dispose();
  for (const view of [input, out, scratch]) g.buffers.free(view);
});
