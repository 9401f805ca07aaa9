import { expect, test } from 'vitest';
import { finishLaunch } from '../../../kernels/reduce/parts';
import type { DispatchInfo } from '../../../app/engine/gpu/recorder';
import { costOf, costsOf } from '../../../app/engine/profile/costs';
import type { SpectralMatrix } from '../../../app/engine/profile/spectralCosts';
import { INNER_ALL, INNER_SKETCH, INNER_TRIANGULAR, LEFT, LONG, RIGHT, SHORT, SQUARE } from '../../../kernels/svd/svd';

const dispatch = (kernel: string, params: Record<string, number> = {}, o: Partial<DispatchInfo> = {}): DispatchInfo => ({
  kernel,
  label: kernel,
  phase: 'other',
  params,
  constants: {},
  operands: [],
  work: 0,
  ...o,
});
const cost = (kernel: string, params: Record<string, number>, o?: Partial<DispatchInfo>) => {
  const { flops, bytes, counted } = costOf(dispatch(kernel, params, o));
  expect(counted).toBe(true);
  return [flops, bytes / 4];
};

test('matrix products, with what is done before they are stored', () => {
  const p = { m: 5, n: 3, k: 7, items: 1, splits: 1, stride_a: 35, stride_b: 21 };
  // 15 outputs of 7 multiply-adds; 35 + 21 in, 15 out.
  expect(cost('matmul/r4x4/nn111', p)).toEqual([210, 71]);
  // One more addition each, and a row of biases.
  expect(cost('matmul/r4x4/nt111-bias', p)).toEqual([225, 74]);
  // z and gelu(z) are stored.
  expect(cost('matmul/r4x4/nt111-bias-gelu', p)).toEqual([300, 89]);
  expect(cost('matmul/r4x4/nt111-bias-residual', p)).toEqual([240, 89]);
  expect(cost('matmul/r4x4/tn111-accumulate', p)).toEqual([225, 86]);
  // Two of a batch that share a; then the same cut into three parts of k, which are stored apart.
  expect(cost('matmul/r4x4/nn111', { ...p, items: 2, stride_a: 0 })).toEqual([420, 35 + 42 + 30]);
  expect(cost('matmul/r4x4/nn111', { ...p, items: 6, splits: 3 })).toEqual([420, 70 + 42 + 90]);
  expect(cost('matmul/reduce4-bias', { m: 5, n: 3, batch: 2, splits: 3 })).toEqual([60 + 30, 90 + 30 + 3]);
});

test('attention', () => {
  // 2 images, 5 tokens, 3 of them queries, 1 head of 7.
  const p = { batch: 2, tokens: 5, queries: 3, heads: 1, scale: 1 };
  // 30 scores of 14 operations, twice; 5 more each; 6 rows of 7 quotients. q 42, k and v 70 each, out 42, lse 6.
  expect(cost('attention/forward.lanes.7x3', p)).toEqual([2 * 420 + 150 + 42, 42 + 140 + 42 + 6]);
  // Row sums of dOut ∘ out: 6 rows of 14. q, out, dOut; k, v; lse, delta; dQ of all tokens.
  expect(cost('attention/backwardQuery.tiled36x68.7', p)).toEqual([3 * 420 + 150 + 84, 126 + 140 + 12 + 70]);
  // q, dOut; k, v, dK, dV; lse, delta.
  expect(cost('attention/backwardKey.rows.7x1', p)).toEqual([4 * 420 + 150, 84 + 280 + 12]);
  // Both in one: q, out, dOut; k, v, dQ, dK, dV; lse.
  expect(cost('attention/backward.lanes.7x1', p)).toEqual([5 * 420 + 150 + 84, 126 + 350 + 6]);
});

test('norms, activations, loss and sums', () => {
  const p = { rows: 5, cols: 3 };
  expect(cost('layerNorm/forward.rows', { ...p, epsilon: 1e-6 })).toEqual([8 * 15 + 25, 30 + 6 + 10]);
  expect(cost('layerNorm/backwardInput.lanes', { ...p, accumulate: 0 })).toEqual([150, 45 + 3 + 10]);
  expect(cost('layerNorm/backwardInput.lanes', { ...p, accumulate: 1 })).toEqual([165, 60 + 3 + 10]);
  // Three chunks of at most two rows.
  expect(cost('layerNorm/backwardAffine', { ...p, chunk: 2 })).toEqual([75, 30 + 10 + 18]);
  expect(cost('layerNorm/finishAffine', { chunks: 3, cols: 3 })).toEqual([18, 18 + 6]);
  expect(cost('layerNorm/again.rows', p)).toEqual([60, 30 + 6 + 10]);
  expect(cost('gelu/backward', { count: 7 })).toEqual([77, 21]);
  const pre = { name: 'pre', access: 'readwrite' as const, bytes: 28 };
  expect(cost('gelu/backward', { count: 7 }, { operands: [pre] })).toEqual([84, 28]);
  expect(cost('crossEntropy/loss.4', { rows: 5, classes: 3 })).toEqual([75, 15 + 15]);
  expect(cost('crossEntropy/mixed.lossAndGradient.4', { rows: 5, classes: 3 })).toEqual([135, 30 + 15]);
  expect(cost('reduce/columnSum', { ...p, stride: 9, first: 0, chunk: 2 })).toEqual([15, 15 + 9]);
});

test('what is fused for graphics cards', () => {
  // 40 operations, 12 for GELU and its slope; its input read and its output written.
  const p = { m: 5, n: 4, k: 8, items: 1, splits: 1, stride_a: 40, stride_b: 32 };
  expect(cost('matmul/r4x4/nn444-dGelu', p)).toEqual([2 * 160 + 12 * 20, 40 + 32 + 20 + 40]);
  expect(cost('matmul/r4x4/nn444-dGelu-halves.out.pre', p)[1]).toBe(40 + 32 + 10 + 20);
  // Two chunks of three sums; dx is read, too, where it is added to.
  const rows = { rows: 5, cols: 4, chunk: 3 };
  expect(cost('layerNorm/backward.16x1', { ...rows, accumulate: 0 })).toEqual([14 * 20, 60 + 4 + 10 + 24]);
  expect(cost('layerNorm/backward.16x1.halves', { ...rows, accumulate: 1 })).toEqual([15 * 20, 70 + 4 + 10 + 24]);
  expect(cost('reduce/columnParts.halves', rows)).toEqual([20, 10 + 8]);
  const sums = [2, 3].map((chunks) => ({ from: 0, pitch: 4, chunks, cols: 4, to: 0 }));
  expect(cost('reduce/finish', finishLaunch(sums).params)).toEqual([20, 20 + 8]);
});

test('what is stored in half precision counts half', () => {
  const p = { m: 5, n: 4, k: 8, items: 1, splits: 1, stride_a: 40, stride_b: 32 };
  const [full] = cost('matmul/r4x4/nn444', p);
  expect(cost('matmul/r4x4/nn444-halves.a.out', p)).toEqual([full, 20 + 32 + 10]);
  expect(cost('matmul/r4x4/nt444-bias-gelu-halves.a.out.pre', p)[1]).toBe(20 + 32 + 10 + 10 + 4);
  expect(cost('layerNorm/forward.rows4.halves', { rows: 5, cols: 4, epsilon: 1e-6 })[1]).toBe(30 + 8 + 10);
  expect(cost('layerNorm/backwardInput.lanes4.halves', { rows: 5, cols: 4, accumulate: 1 })[1]).toBe(70 + 4 + 10);
  expect(cost('gelu/backward.halves', { count: 8 })[1]).toBe(12);
  expect(cost('reduce/columnSum.halves', { rows: 5, cols: 4, stride: 4, first: 0, chunk: 5 })[1]).toBe(10 + 4);
  expect(cost('attention/forward.lanes.halves.8x3', { batch: 2, tokens: 5, queries: 3, heads: 1, scale: 1 })[1]).toBe(24 + 80 + 24 + 6);
  expect(cost('lossScale/unscale', { n4: 3 })).toEqual([12, 24]);
});

test('what feeds and leaves the blocks', () => {
  // 2 images of 1 channel, 4 patches of 3 × 3, and the class token's row of zeros: 5 · 2 · 9 written, 4 · 2 · 9 read.
  expect(cost('patchEmbed/patches', { runs: 30, tokens: 5, side: 2, extent: 3, channels: 1 })).toEqual([0, 90 + 72]);
  const p = { batch: 2, tokens: 5, cols: 3 };
  // 24 sums, and 3 of cls and pos; x in without 6, x out 30, pos 15, cls 3.
  expect(cost('patchEmbed/assemble', p)).toEqual([27, 24 + 30 + 15 + 3]);
  expect(cost('patchEmbed/backward', p)).toEqual([30, 30 + 15 + 15 + 3]);
  expect(cost('patchEmbed/classRows', { count: 6, tokens: 5, cols: 3 })).toEqual([0, 12]);
  expect(cost('patchEmbed/classRows', { count: 30, tokens: 5, cols: 3 }, { constants: { SCATTER: 1 } })).toEqual([0, 36]);
  // Three sums and a quotient each; the class token is not read.
  expect(cost('patchEmbed/meanRows', { count: 6, tokens: 5, cols: 3 })).toEqual([24, 24 + 6]);
  // 2 images of 3 × 7 × 7: a byte in, a float out; a label of two bytes in, four out.
  expect(cost('gather/train', { batch: 2, channels: 3, size: 7 })).toEqual([588, (5 * 294 + 12) / 4]);
});

test('the optimizer', () => {
  expect(cost('adamw/update', { n4: 3 })).toEqual([16 * 12, 7 * 12]);
  expect(cost('adamw/collect', { n4: 3 }, { constants: { L2_DECAY: 0 } })).toEqual([13 * 12, 6 * 12]);
  expect(cost('adamw/collect', { n4: 3 }, { constants: { L2_DECAY: 1 } })).toEqual([15 * 12, 7 * 12]);
  expect(cost('adamw/move', { n4: 3 })).toEqual([36, 36]);
  expect(cost('gradNorm/partial', { n4: 3, threads: 64 })).toEqual([24, 12 + 64]);
  expect(cost('gradNorm/finalize', { count: 64, batch: 5 })).toEqual([64 + 10 + 4, 64 + 10 + 16]);
  expect(cost('ema/update', { n4: 3 })).toEqual([36, 36]);
  expect(cost('accumulate/clear', { n4: 3 })).toEqual([0, 12]);
  expect(cost('accumulate/sum', { n4: 3 })).toEqual([12, 36]);
});

test('a kernel without a formula is said to be an estimate', () => {
  const operands = [40, 24].map((bytes) => ({ name: 'x', access: 'read' as const, bytes }));
  expect(costOf(dispatch('new/kernel', {}, { operands, work: 17 }))).toEqual({ flops: 17, bytes: 64, counted: false });
});

const tall: SpectralMatrix = { rows: 7, cols: 5, sketch: 3, columns: 3, envelope: 2, sweeps: 2 };
const one = (kernel: string, params: Record<string, number> = {}, m = tall) => {
  const [found] = costsOf([dispatch(kernel, params)], [m]);
  return [found!.flops, found!.bytes / 4];
};

test('decompositions: A is 7 × 5 with 3 columns at work', () => {
  expect(one('svd/load')).toEqual([35, 70]);
  // A V: 7 × 5 times 5 × 3. Y T: 7 × 3 times an upper triangle of 3, on average 2 of its rows. V: 5 × 3 times 3 × 3.
  expect(one('svd/combine', { a: LONG, inner: INNER_ALL })).toEqual([210, 35 + 15 + 21]);
  expect(one('svd/combine', { a: LONG, inner: INNER_TRIANGULAR })).toEqual([84, 21 + 6 + 21]);
  expect(one('svd/combine', { a: RIGHT, inner: INNER_SKETCH })).toEqual([90, 15 + 9 + 15]);
  expect(one('svd/combine', { a: RIGHT, inner: INNER_SKETCH, span: SQUARE })).toEqual([54, 9 + 9 + 9]);
  // YᵀY, and AᵀU.
  expect(one('svd/inner', { a: LONG, b: LONG, all: 0 })).toEqual([126, 21 + 9]);
  expect(one('svd/inner', { a: LONG, b: LEFT, all: 1 })).toEqual([210, 35 + 21 + 15]);
  expect(one('svd/inner', { a: SHORT, b: SHORT, all: 0 })).toEqual([90, 15 + 9]);
  expect(one('svd/cholesky')).toEqual([18, 18]);
  // Three quarters of a four: 10 inner products of 7, 16 multiply-adds and 4 sums on 7 and on 5 rows.
  expect(one('svd/jacobi', { round: 0 })).toEqual([0.75 * (140 + 36 * 7 + 36 * 5), 2 * 3 * 12]);
  // Three eighths of an eight: 36 inner products, 64 multiply-adds and 8 sums; a triangle alone.
  expect(one('svd/jacobi', { round: 0, kind: LONG })).toEqual([0.375 * (72 * 7 + 136 * 7 + 136 * 5), 72]);
  expect(one('svd/jacobi', { round: 0, kind: SHORT })).toEqual([0.375 * (72 * 3 + 136 * 3), 18]);
  // All rounds of the two sweeps over A V, one each for so few columns; of a triangle, of all that it may take.
  expect(one('svd/sweeps', { kind: LONG, sweeps: 12 })).toEqual([2 * 0.375 * (208 * 7 + 136 * 5), 144]);
  expect(one('svd/sweeps', { kind: RIGHT, sweeps: 12 })).toEqual([12 * 0.375 * 208 * 3, 12 * 18]);
  // Three pairs of three rows, 14 operations each.
  expect(one('svd/square56x8', { kind: RIGHT, sweeps: 12 })).toEqual([12 * 3 * 3 * 14, 18]);
  expect(one('svd/inner8', { a: LONG, b: LONG, all: 0, same: 1 })).toEqual([7 * 12, 21 + 9]);
  // The same decomposed transposed.
  expect(one('svd/jacobi', { round: 0 }, { ...tall, rows: 5, cols: 7 })).toEqual(one('svd/jacobi', { round: 0 }));
  expect(one('svd/place')).toEqual([21, 72]);
});

test('a matrix has no part in sweeps after its last, and alone in what a guard left open', () => {
  const names = ['start', 'jacobi', 'jacobi', 'advance', 'jacobi', 'advance', 'jacobi', 'advance', 'update', 'jacobi'];
  const flops = (m: SpectralMatrix) =>
    costsOf(
      names.map((name) => dispatch(name === 'update' ? 'q3r/update' : `svd/${name}`)),
      [m],
    )
      .filter((_, i) => names[i] === 'jacobi')
      .map((c) => c.flops);
  const each = 0.75 * 572;
  expect(flops(tall)).toEqual([each, each, each, 0, 0]);
  // What was swept before the columns were changed does not count.
  const kinds = [
    dispatch('svd/advance', { again: 0 }),
    dispatch('svd/advance', { again: 0 }),
    dispatch('svd/jacobi', { kind: SHORT }),
    dispatch('svd/advance', { again: 1 }),
    dispatch('svd/jacobi', { kind: LONG }),
  ];
  expect(costsOf(kinds, [tall]).map((c) => c.flops > 1)).toEqual([false, false, true, false, true]);
  // Done again with all five columns.
  expect(flops({ ...tall, columns: 5 })).toEqual([each, each, each, each, 1.25 * 572]);
});

test('matrices that come in groups count where they are at work', () => {
  const table = (count: number) => ({ operands: [{ name: 'table', access: 'read' as const, bytes: 16 * Math.ceil((72 * count) / 16) }] });
  const wide: SpectralMatrix = { ...tall, rows: 50 };
  const of = (...groups: number[]) =>
    groups.flatMap((count) => [dispatch('svd/measure', {}, table(count)), dispatch('svd/place'), dispatch('q3r/update')]);
  const flops = costsOf(
    [...of(2, 1), dispatch('q3r/project', {}, table(2)), dispatch('q3r/project', {}, table(1))],
    [tall, tall, wide],
  ).map((cost) => cost.flops);
  expect([flops[1], flops[4]]).toEqual([2 * 21, 150]);
  expect(flops.slice(6)).toEqual([2 * one('q3r/project')[0]!, one('q3r/project', {}, wide)[0]]);
});

test('the operator: 7 × 5 with an envelope of 2', () => {
  expect(one('q3r/project')).toEqual([140 + 14, 35 + 10 + 14]);
  expect(one('q3r/projectTiled')).toEqual(one('q3r/project'));
  expect(one('q3r/gatherTiled')).toEqual(one('q3r/gather'));
  expect(one('q3r/spread')).toEqual([140, 14 + 10 + 70]);
  expect(one('q3r/gather')).toEqual([140 + 10, 14 + 35 + 10]);
  // 2λ and ⟨X, R⟩ as well; added to a gradient, that is read and added to.
  expect(one('q3r/apply', { add: 0 })).toEqual([140 + 105, 14 + 10 + 105]);
  expect(one('q3r/apply', { add: 1 })).toEqual([140 + 140, 14 + 10 + 140]);
});
