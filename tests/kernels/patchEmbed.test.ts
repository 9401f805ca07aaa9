import { expect, test } from 'vitest';
import { Recorder } from '../../app/engine/gpu/recorder';
import {
  recordAssemble,
  recordClassRows,
  recordClassRowsBackward,
  recordEmbedBackward,
  recordMeanRows,
  recordMeanRowsBackward,
  recordPatches,
} from '../../app/engine/ops/patchEmbed';
import { patches } from '../reference/patchEmbed';
import { maxError, uniform, useGpu } from '../support/gpu';

const gpu = useGpu();

test.each([
  [1, 1, 1, 1],
  [2, 3, 2, 4],
  [3, 1, 3, 5],
  [2, 2, 1, 7],
])('patches of %i images, %i channels, %i a side, %i pixels wide are exact copies', async (batch, channels, side, patch) => {
  const g = gpu();
  const count = batch * (1 + side * side) * channels * patch * patch;
  const data = uniform(batch * channels * (side * patch) ** 2, 1);
  const images = g.upload('images', data);
  const out = g.upload('out', new Float32Array(count).fill(99));
  const recorder = new Recorder(g, 'patches');
  recordPatches(recorder, { batch, channels, side, patch }, images, out);
  const program = await recorder.build();
  program.run();
  expect([...(await g.readFloats(out)).subarray(0, count)]).toEqual([...patches(batch, channels, side, patch, data)]);
  program.dispose();
  for (const view of [images, out]) g.buffers.free(view);
});

test.each([
  [1, 2, 1],
  [3, 5, 7],
  [2, 17, 48],
])('class token and position embedding on [%i, %i, %i], and their gradients', async (batch, tokens, cols) => {
  const g = gpu();
  const shape = { batch, tokens, cols };
  const size = tokens * cols;
  const xData = uniform(batch * size, 1);
  const clsData = uniform(cols, 2);
  const posData = uniform(size, 3);
  const dxData = uniform(batch * size, 4);
  const x = g.upload('x', xData);
  const cls = g.upload('cls', clsData);
  const pos = g.upload('pos', posData);
  const dx = g.upload('dx', dxData);
  const rows = g.buffers.allocate('rows', batch * cols * 4);
  const spread = g.upload('spread', new Float32Array(batch * size).fill(99));
  const dPos = g.buffers.allocate('dPos', size * 4);
  const dCls = g.buffers.allocate('dCls', cols * 4);
  const sums = g.buffers.allocate('sums', size * 4);
  const recorder = new Recorder(g, 'assemble');
  recordAssemble(recorder, shape, cls, pos, x);
  recordEmbedBackward(recorder, shape, dx, dPos, dCls, sums);
  recordClassRows(recorder, shape, x, rows);
  recordClassRowsBackward(recorder, shape, rows, spread);
  const program = await recorder.build();
  program.run();
  const want = Array.from(xData, (v, i) => {
    const at = i % size;
    return Math.fround((at < cols ? clsData[at]! : v) + posData[at]!);
  });
  const first = want.map((v, i) => (i % size < cols ? v : 0));
  const dPosWant = new Float64Array(size);
  dxData.forEach((v, i) => (dPosWant[i % size]! += v));
  // One rounded addition each: exact. Sums over at most 3 images of terms below 1 round by 3 · 2^-24.
  expect([...(await g.readFloats(x)).subarray(0, batch * size)]).toEqual(want);
  expect([...(await g.readFloats(rows)).subarray(0, batch * cols)]).toEqual(want.filter((_, i) => i % size < cols));
  expect([...(await g.readFloats(spread)).subarray(0, batch * size)]).toEqual(first);
  const dPosGot = (await g.readFloats(dPos)).subarray(0, size);
  expect(maxError(dPosGot, dPosWant)).toBeLessThan(4e-7);
  expect((await g.readFloats(sums)).subarray(0, size)).toEqual(dPosGot);
  expect((await g.readFloats(dCls)).subarray(0, cols)).toEqual(dPosGot.slice(0, cols));
  program.dispose();
  for (const view of [x, cls, pos, dx, rows, spread, dPos, dCls, sums]) g.buffers.free(view);
  expect(g.buffers.liveBytes).toBe(0);
});

test.each([
  [1, 2, 1],
  [3, 5, 7],
  [2, 197, 3],
])('the mean of the patch tokens of [%i, %i, %i], and its gradient', async (batch, tokens, cols) => {
  const g = gpu();
  const shape = { batch, tokens, cols };
  const size = tokens * cols;
  const data = uniform(batch * size, 1);
  const x = g.upload('x', data);
  const rows = g.buffers.allocate('rows', batch * cols * 4);
  const spread = g.upload('spread', new Float32Array(batch * size).fill(99));
  const recorder = new Recorder(g, 'mean');
  recordMeanRows(recorder, shape, x, rows);
  recordMeanRowsBackward(recorder, shape, rows, spread);
  const program = await recorder.build();
  program.run();
  const want = new Float64Array(batch * cols);
  data.forEach((v, i) => {
    if (i % size >= cols) want[Math.floor(i / size) * cols + (i % cols)]! += v / (tokens - 1);
  });
  const got = (await g.readFloats(rows)).subarray(0, batch * cols);
  // A sum of up to 196 terms below 1 rounds by at most 196² / 2 · 2^-24 over 196.
  expect(maxError(got, want)).toBeLessThan(6e-6);
  const back = Float64Array.from(data, (_, i) => (i % size < cols ? 0 : got[Math.floor(i / size) * cols + (i % cols)]! / (tokens - 1)));
  // Division is good to 2.5 ulp of numbers below 1.
  expect(maxError((await g.readFloats(spread)).subarray(0, batch * size), back)).toBeLessThan(2e-7);
  program.dispose();
  for (const view of [x, rows, spread]) g.buffers.free(view);
});
