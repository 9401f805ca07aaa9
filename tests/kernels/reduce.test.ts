import { expect, test } from 'vitest';
import { Recorder } from '../../app/engine/gpu/recorder';
import { slice } from '../../app/engine/gpu/buffers';
import { columnPartsElements, PendingSums, recordColumnParts } from '../../app/engine/ops/pendingSums';
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

test('several sums wait and are added up in one dispatch, in f32 and in half precision; what no sum names stays', async () => {
  const g = gpu();
  const sizes: readonly (readonly [rows: number, cols: number, halves: boolean])[] = [
    [1, 4, false],
    [131, 68, false],
    [300, 36, true],
    [67, 200, true],
  ];
  const grads = g.upload('grads', new Float32Array(4 * 256).fill(9));
  const total = sizes.reduce((sum, [rows, cols]) => sum + columnPartsElements(rows, cols), 0);
  const room = g.buffers.allocate('room', total * 4);
  const sums = new PendingSums(room);
  const recorder = new Recorder(g, 'sums');
  const wants = sizes.map(([rows, cols, halves], i) => {
    const data = uniform(rows * cols, i, 0, 1);
    const input = g.upload(`in${i}`, halves ? packHalves(data) : data);
    recordColumnParts(recorder, sums, { rows, cols, input, halves, out: slice(grads, 256 * i, cols) });
    return columnSum(rows, cols, halves ? unpackHalves(packHalves(data)) : data, 0);
  });
  expect(() => sums.take(1, 4, [])).toThrow('do not fit');
  sums.record(recorder, 'finish');
  expect(recorder.length).toBe(sizes.length + 1);
  const program = await recorder.build();
  program.run();
  const got = await g.readFloats(grads);
  wants.forEach((want, i) => {
    // 16 chains of at most rows/16 additions, then 16 of those, twice.
    const bound = 2 ** -24 * (36 + sizes[i]![0] / 16) * Math.max(...want);
    expect(maxError(got.subarray(256 * i, 256 * i + want.length), want), `sum ${i}`).toBeLessThan(bound);
    expect(got.subarray(256 * i + want.length, 256 * (i + 1)).every((v) => v === 9)).toBe(true);
  });
  program.run();
  expect(await g.readFloats(grads)).toEqual(got);
  program.dispose();
  g.buffers.freeAll();
});

test('more sums than a dispatch takes are added up in two, and none in none', async () => {
  const g = gpu();
  const grads = g.buffers.allocate('grads', 9 * 256);
  const room = g.upload(
    'room',
    Float32Array.from({ length: 9 * 64 }, (_, i) => i),
  );
  const sums = new PendingSums(room);
  const recorder = new Recorder(g, 'sums');
  sums.record(recorder, 'none');
  expect(recorder.length).toBe(0);
  for (let i = 0; i < 9; i++) sums.take(2, 3, [{ view: slice(grads, 64 * i, 2), at: 1, cols: 2 }]);
  sums.record(recorder, 'finish');
  expect(recorder.length).toBe(2);
  const program = await recorder.build();
  program.run();
  const got = await g.readFloats(grads);
  for (let i = 0; i < 9; i++) expect([...got.subarray(64 * i, 64 * i + 2)]).toEqual([128 * i + 1 + 4, 128 * i + 2 + 5]);
  program.dispose();
  const other = g.buffers.allocate('other', 16);
  for (const view of [grads, other]) sums.take(1, 4, [{ view, at: 0, cols: 4 }]);
  expect(() => sums.record(recorder, 'finish')).toThrow('different buffers');
  g.buffers.freeAll();
});
