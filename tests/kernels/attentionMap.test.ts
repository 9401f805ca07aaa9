import { expect, test } from 'vitest';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordAttention } from '../../app/engine/ops/attention';
import { recordAttentionHeadMean, recordAttentionMap } from '../../app/engine/ops/attentionMap';
import { attentionMap } from '../reference/attention';
import { maxError, uniform, useGpu } from '../support/gpu';
import { packHalves, unpackHalves } from '../support/halves';

const gpu = useGpu();

test.each([
  // One token; odd sizes; the class token of a class-only block; the mean over patch tokens; more than a workgroup of keys.
  { batch: 1, tokens: 1, queries: 1, heads: 1, headSize: 3, first: 0, count: 1 },
  { batch: 2, tokens: 5, queries: 5, heads: 2, headSize: 3, first: 0, count: 1 },
  { batch: 3, tokens: 37, queries: 1, heads: 3, headSize: 16, first: 0, count: 1 },
  { batch: 2, tokens: 17, queries: 17, heads: 3, headSize: 5, first: 1, count: 16 },
  { batch: 1, tokens: 67, queries: 67, heads: 2, headSize: 7, first: 3, count: 2 },
])('%o: the weights of chosen queries match float64, and each head’s sum to one', async ({ first, count, ...s }) => {
  const g = gpu();
  const qkvData = uniform(s.batch * s.tokens * 3 * s.heads * s.headSize, 5, -2, 2);
  const qkv = g.upload('qkv', qkvData);
  const out = g.buffers.allocate('out', s.batch * s.queries * s.heads * s.headSize * 4);
  const lse = g.buffers.allocate('lse', s.batch * s.heads * s.queries * 4);
  // Filled, so that an entry the kernel leaves out is noticed.
  const map = g.upload('map', new Float32Array(s.batch * s.heads * s.tokens).fill(99));
  const recorder = new Recorder(g, 'attentionMap');
  recordAttention(recorder, { shape: s, qkv, out, lse });
  recordAttentionMap(recorder, { shape: s, qkv, lse, map, first, count });
  const program = await recorder.build();
  program.run();
  const got = (await g.readFloats(map)).subarray(0, s.batch * s.heads * s.tokens);
  // Scores reach 4 √headSize = 16; rounded to 2^-24 of that they move a weight below one by 1e-6, twice for the two roundings.
  expect(maxError(got, attentionMap(s, qkvData, first, count))).toBeLessThan(3e-6);
  for (let row = 0; row < s.batch * s.heads; row++)
    expect(got.subarray(row * s.tokens, (row + 1) * s.tokens).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
  program.dispose();
  for (const view of [qkv, out, lse, map]) g.buffers.free(view);
  expect(g.buffers.liveBytes).toBe(0);
});

test('in half precision the maps of chosen queries and the means over heads are those of the numbers stored', async () => {
  const g = gpu();
  const shape = { batch: 2, tokens: 5, queries: 5, heads: 3, headSize: 12 };
  const { batch, tokens, queries, heads, headSize } = shape;
  const halves = packHalves(uniform(batch * tokens * 3 * heads * headSize, 5, -2, 2));
  const views = [halves, unpackHalves(halves)].map((data) => g.upload('qkv', data));
  const out = g.buffers.allocate('out', batch * queries * heads * headSize * 4);
  const lse = g.buffers.allocate('lse', batch * heads * queries * 4);
  const [map, mean, wanted] = [batch * heads * tokens, batch * queries * tokens, batch * queries * tokens].map((n) =>
    g.buffers.allocate('map', n * 4),
  );
  const recorder = new Recorder(g, 'attentionMap.halves');
  recordAttention(recorder, { shape, qkv: views[1]!, out, lse });
  recordAttentionHeadMean(recorder, { shape, qkv: views[1]!, lse, mean: wanted! });
  recordAttentionMap(recorder, { shape, qkv: views[0]!, halves: true, lse, map: map!, first: 1, count: 4 });
  recordAttentionHeadMean(recorder, { shape, qkv: views[0]!, halves: true, lse, mean: mean! });
  const program = await recorder.build();
  program.run();
  const got = (await g.readFloats(map!)).subarray(0, batch * heads * tokens);
  expect(maxError(got, attentionMap(shape, unpackHalves(halves), 1, 4))).toBeLessThan(3e-6);
  expect(maxError(await g.readFloats(mean!), await g.readFloats(wanted!))).toBeLessThan(1e-6);
  program.dispose();
  g.buffers.freeAll();
});

test('queries that the attention did not have are refused', () => {
  const g = gpu();
  const view = g.buffers.allocate('any', 256);
  const shape = { batch: 1, tokens: 5, queries: 1, heads: 1, headSize: 4 };
  const record = () => recordAttentionMap(new Recorder(g, 'map'), { shape, qkv: view, lse: view, map: view, first: 1, count: 4 });
  expect(record).toThrow('queries 1 to 4 of 1');
  g.buffers.free(view);
});
