import { describe, expect, test } from 'vitest';
import { fitsAttentionBackward, type AttentionVariant } from '../../kernels/attention/attention';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordAttention, recordAttentionBackward, type AttentionCut } from '../../app/engine/ops/attention';
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

/**
 * Sizes that fit no tile. Every tile, head size and precision is a kernel of its own, which takes a software adapter long to compile, those of a
 * graphics card longest: as few as reach every part.
 */
const SMALL = shape(2, 5, 5, 2, 3);
/** More keys than a thread has, more quads than a subgroup has threads. */
const FEW = shape(1, 33, 2, 1, 20);
const ONE = shape(2, 37, 1, 3, 16);
const ALL = {
  rows: [SMALL, FEW],
  // An image of 224 pixels in patches of 16.
  lanes: [SMALL, FEW, ONE, shape(1, 1, 1, 1, 3), shape(1, 197, 197, 1, 8)],
  // Three blocks of columns; where all keys are one, two blocks of rows; a wide head, in which a thread has more than four keys.
  tiled: [SMALL, ONE, shape(1, 137, 137, 1, 4), shape(1, 41, 39, 1, 8), shape(1, 11, 3, 1, 128)],
};
const HALVES = {
  rows: [shape(2, 37, 37, 2, 12)],
  // Where all keys are met at once, there is one kernel for halves, too.
  lanes: [shape(2, 37, 37, 2, 12), shape(2, 9, 1, 1, 4)],
  tiled: [shape(2, 37, 37, 2, 12)],
};

interface Run {
  readonly out: Float32Array;
  /** Of every cut that the shape can have. */
  readonly dQkv: readonly Float32Array[];
}

/** Forward and backward pass, run twice: bitwise the same. */
async function run(s: Attention, variant: AttentionVariant, data: { qkv: Float32Array; dOut: Float32Array }, halves = false): Promise<Run> {
  const g = gpu();
  const C = s.heads * s.headSize;
  const sizes = { qkv: s.batch * s.tokens * 3 * C, out: s.batch * s.queries * C, rows: s.batch * s.heads * s.queries };
  const upload = (name: string, numbers: Float32Array) => g.upload(name, halves ? packHalves(numbers) : Float32Array.from(numbers));
  const [qkv, dOut] = [upload('qkv', data.qkv), upload('dOut', data.dOut)];
  const [lse, delta] = [g.buffers.allocate('lse', sizes.rows * 4), g.buffers.allocate('delta', sizes.rows * 4)];
  // Filled, so that an entry the kernels leave out is noticed.
  const filled = (name: string, count: number) => upload(name, new Float32Array(count).fill(99));
  const out = filled('out', sizes.out);
  const cuts: AttentionCut[] = fitsAttentionBackward(s, variant, halves) ? ['two', 'one36'] : ['two'];
  const dQkvs = cuts.map((cut) => ({ cut, dQkv: filled(cut, sizes.qkv) }));
  const common = { shape: s, qkv, out, lse, variant, halves };
  const recorder = new Recorder(g, 'attention');
  recordAttention(recorder, common);
  for (const views of dQkvs) recordAttentionBackward(recorder, { ...common, ...views, dOut, delta });
  expect(recorder.length).toBe(1 + cuts.length + 1);
  const program = await recorder.build();
  const read = async (view: typeof out, count: number): Promise<Float32Array> => {
    const bytes = await g.read(view);
    return halves ? unpackHalves(new Uint16Array(bytes).subarray(0, count)) : new Float32Array(bytes).subarray(0, count);
  };
  const all = async () => ({
    out: await read(out, sizes.out),
    dQkv: await Promise.all(dQkvs.map(({ dQkv }) => read(dQkv, sizes.qkv))),
  });
  program.run();
  const first = await all();
  program.run();
  expect(await all()).toEqual(first);
  program.dispose();
  for (const view of [qkv, dOut, out, lse, delta, ...dQkvs.map(({ dQkv }) => dQkv)]) g.buffers.free(view);
  expect(g.buffers.liveBytes).toBe(0);
  return first;
}

describe.each(['rows', 'lanes', 'tiled'] as const)('attention, variant %s', (variant) => {
  test.each(ALL[variant])('%o: forward and backward match float64, bitwise the same twice', async (s) => {
    const C = s.heads * s.headSize;
    const data = { qkv: uniform(s.batch * s.tokens * 3 * C, 1, -2, 2), dOut: uniform(s.batch * s.queries * C, 2) };
    const { out, dQkv } = await run(s, variant, data);
    // Scores reach |S| = 4 √headSize ≈ 45 at most, and exp turns their rounding (2^-24 · |S|) into a relative error of
    // the weights; with sums of up to 197 terms of size 2 that stays below 2e-5.
    expect(maxError(out, attentionForward(s, data.qkv))).toBeLessThan(1e-5);
    const want = attentionBackward(s, data.qkv, data.dOut);
    for (const got of dQkv) expect(maxError(got, want)).toBeLessThan(2e-5);
  });

  test.each(HALVES[variant])('%o in half precision', async (s) => {
    const C = s.heads * s.headSize;
    const rounded = (numbers: Float32Array) => unpackHalves(packHalves(numbers));
    const data = { qkv: rounded(uniform(s.batch * s.tokens * 3 * C, 1, -2, 2)), dOut: rounded(uniform(s.batch * s.queries * C, 2)) };
    const { out, dQkv } = await run(s, variant, data, true);
    // Outputs lie within 2, where a half is good to 2^-11. That reaches the gradient by way of D = rowsum(dO o O), in which it adds
    // up over the head, times weights and keys of at most 2; gradients up to 16 are themselves stored to 2^-8.
    expect(maxError(out, attentionForward(s, data.qkv))).toBeLessThan(2 ** -10);
    const want = attentionBackward(s, data.qkv, data.dOut);
    for (const got of dQkv) expect(maxError(got, want)).toBeLessThan(2 ** -8);
  });

  test.each([-1, 1])('scores far below and above the range of exp stay finite, forward and backward: sign %i', async (sign) => {
    const s = shape(1, 5, 5, 2, 3);
    // Columns are q, k and v: all scores lie between ±690 and ±1560, so that e to the lse alone is no float32.
    const qkv = uniform(5 * 18, 3, 20, 30).map((v, i) => (i % 18 < 6 ? sign * v : i % 18 < 12 ? v : v - 25));
    const data = { qkv, dOut: uniform(5 * 6, 4) };
    const { out, dQkv } = await run(s, variant, data);
    // A score of 1500 is rounded by 1e-4, which is the relative error of the weights; values are below 5,
    // gradients a hundred times that.
    expect(maxError(out, attentionForward(s, qkv))).toBeLessThan(5e-3);
    for (const got of dQkv) expect(maxError(got, attentionBackward(s, qkv, data.dOut))).toBeLessThan(0.5);
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
