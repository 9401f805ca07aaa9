import { describe, expect, test } from 'vitest';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordAttention, recordAttentionBackward } from '../../app/engine/ops/attention';
import { attentionBackward, attentionForward, type Attention } from '../reference/attention';
import { maxError, uniform, useGpu } from '../support/gpu';
import { packHalves, unpackHalves } from '../support/halves';

const gpu = useGpu();
const shape = (batch: number, tokens: number, queries: number, heads: number, headSize: number): Attention => ({
  batch,
  tokens,
  queries,
  heads,
  headSize,
});

/** Sizes that fit no tile. A graphics card's variant takes a software adapter long: three blocks of columns are enough there. */
const SHAPES = [shape(1, 1, 1, 1, 3), shape(2, 5, 5, 2, 3), shape(2, 37, 1, 3, 16), shape(1, 33, 2, 1, 20)];
const WIDE = shape(1, 5, 5, 1, 128);
const ALL = {
  // A head this wide takes long to compile: once, in the variant of the two that software adapters use.
  rows: SHAPES,
  // An image of 224 pixels in patches of 16.
  lanes: [...SHAPES, WIDE, shape(1, 67, 67, 2, 16), shape(1, 197, 197, 1, 8)],
  tiled: [...SHAPES, WIDE, shape(1, 137, 137, 1, 4)],
};

describe.each(['rows', 'lanes', 'tiled'] as const)('attention, variant %s', (variant) => {
  test.each(ALL[variant])('%o: forward and backward match float64, bitwise the same twice', async (s) => {
    const g = gpu();
    const C = s.heads * s.headSize;
    const qkvData = uniform(s.batch * s.tokens * 3 * C, 1, -2, 2);
    const dOutData = uniform(s.batch * s.queries * C, 2);
    const qkv = g.upload('qkv', qkvData);
    const dOut = g.upload('dOut', dOutData);
    const out = g.buffers.allocate('out', s.batch * s.queries * C * 4);
    const lse = g.buffers.allocate('lse', s.batch * s.heads * s.queries * 4);
    const delta = g.buffers.allocate('delta', s.batch * s.heads * s.queries * 4);
    // Filled, so that an entry the kernels leave out is noticed.
    const dQkv = g.upload('dQkv', new Float32Array(s.batch * s.tokens * 3 * C).fill(99));
    const recorder = new Recorder(g, 'attention');
    recordAttention(recorder, { shape: s, qkv, out, lse, variant });
    recordAttentionBackward(recorder, { shape: s, qkv, out, lse, dOut, delta, dQkv, variant });
    const program = await recorder.build();
    program.run();
    const outGot = (await g.readFloats(out)).subarray(0, s.batch * s.queries * C);
    const dGot = (await g.readFloats(dQkv)).subarray(0, s.batch * s.tokens * 3 * C);
    // Scores reach |S| = 4 √headSize ≈ 45 at most, and exp turns their rounding (2^-24 · |S|) into a relative error of
    // the weights; with sums of up to 197 terms of size 2 that stays below 2e-5.
    expect(maxError(outGot, attentionForward(s, qkvData))).toBeLessThan(1e-5);
    expect(maxError(dGot, attentionBackward(s, qkvData, dOutData))).toBeLessThan(2e-5);
    program.run();
    expect(new Uint32Array(await g.read(dQkv)).subarray(0, dGot.length)).toEqual(new Uint32Array(dGot.buffer, 0, dGot.length));
    program.dispose();
    for (const view of [qkv, dOut, out, lse, delta, dQkv]) g.buffers.free(view);
    expect(g.buffers.liveBytes).toBe(0);
  });

  test.each([shape(1, 1, 1, 1, 4), shape(2, 37, 37, 2, 12), shape(2, 17, 1, 3, 20)])('%o in half precision', async (s) => {
    const g = gpu();
    const C = s.heads * s.headSize;
    const sizes = { qkv: s.batch * s.tokens * 3 * C, out: s.batch * s.queries * C };
    const qkvHalves = packHalves(uniform(sizes.qkv, 1, -2, 2));
    const dOutHalves = packHalves(uniform(sizes.out, 2));
    const [qkv, dOut] = [qkvHalves, dOutHalves].map((data) => g.upload('in', data));
    const [lse, delta] = [0, 1].map(() => g.buffers.allocate('rows', s.batch * s.heads * s.queries * 4));
    // Filled, so that an entry the kernels leave out is noticed.
    const [out, dQkv] = [sizes.out, sizes.qkv].map((n) => g.upload('out', packHalves(new Float32Array(n).fill(99))));
    const common = { shape: s, qkv: qkv!, out: out!, lse: lse!, halves: true, variant };
    const recorder = new Recorder(g, 'attention.halves');
    recordAttention(recorder, common);
    recordAttentionBackward(recorder, { ...common, dOut: dOut!, delta: delta!, dQkv: dQkv! });
    const program = await recorder.build();
    program.run();
    const read = async (view: typeof out, count: number) => unpackHalves(new Uint16Array(await g.read(view!)).subarray(0, count));
    const data = unpackHalves(qkvHalves);
    // Outputs lie within 2, where a half is good to 2^-11. That reaches the gradient by way of D = rowsum(dO o O), in which it adds
    // up over the head, times weights and keys of at most 2; gradients up to 16 are themselves stored to 2^-8.
    expect(maxError(await read(out, sizes.out), attentionForward(s, data))).toBeLessThan(2 ** -10);
    const want = attentionBackward(s, data, unpackHalves(dOutHalves));
    expect(maxError(await read(dQkv, sizes.qkv), want)).toBeLessThan(2 ** -8);
    program.dispose();
    g.buffers.freeAll();
  });

  test('scores far below and above the range of exp stay finite, forward and backward', async () => {
    const g = gpu();
    const s = shape(1, 9, 9, 1, 3);
    for (const sign of [-1, 1]) {
      // Columns are q, k and v: all scores lie between ±690 and ±1560, so that e to the lse alone is no float32.
      const qkvData = uniform(9 * 9, 3, 20, 30).map((v, i) => (i % 9 < 3 ? sign * v : i % 9 < 6 ? v : v - 25));
      const dOutData = uniform(9 * 3, 4);
      const qkv = g.upload('qkv', qkvData);
      const dOut = g.upload('dOut', dOutData);
      const out = g.buffers.allocate('out', 9 * 3 * 4);
      const lse = g.buffers.allocate('lse', 9 * 4);
      const delta = g.buffers.allocate('delta', 9 * 4);
      const dQkv = g.buffers.allocate('dQkv', 9 * 9 * 4);
      const recorder = new Recorder(g, 'large');
      recordAttention(recorder, { shape: s, qkv, out, lse, variant });
      recordAttentionBackward(recorder, { shape: s, qkv, out, lse, dOut, delta, dQkv, variant });
      const program = await recorder.build();
      program.run();
      // A score of 1500 is rounded by 1e-4, which is the relative error of the weights; values are below 5,
      // gradients a hundred times that.
      expect(maxError((await g.readFloats(out)).subarray(0, 27), attentionForward(s, qkvData))).toBeLessThan(5e-3);
      expect(maxError((await g.readFloats(dQkv)).subarray(0, 81), attentionBackward(s, qkvData, dOutData))).toBeLessThan(0.5);
      program.dispose();
      for (const view of [qkv, dOut, out, lse, delta, dQkv]) g.buffers.free(view);
    }
  });
});

test('the float64 backward pass agrees with finite differences', () => {
  for (const s of [shape(2, 3, 3, 2, 2), shape(1, 4, 1, 1, 3)]) {
    const C = s.heads * s.headSize;
    const qkv = Float64Array.from(uniform(s.batch * s.tokens * 3 * C, 5));
    const dOut = uniform(s.batch * s.queries * C, 6);
    const value = () => attentionForward(s, qkv).reduce((sum, v, i) => sum + v * dOut[i]!, 0);
    const grad = attentionBackward(s, qkv, dOut);
    const h = 1e-5;
    qkv.forEach((v, i) => {
      qkv[i] = v + h;
      const up = value();
      qkv[i] = v - h;
      const down = value();
      qkv[i] = v;
      // Central differences err by h² times the third derivative, below 1e-9 here.
      expect(Math.abs((up - down) / (2 * h) - grad[i]!)).toBeLessThan(1e-8);
    });
  }
});
