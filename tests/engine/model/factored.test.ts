import { expect, test } from 'vitest';
import { Recorder } from '../../../app/engine/gpu/recorder';
import {
  factoredLayout,
  imageFlops,
  matrixParameters,
  rankOfEnergy,
  rankOfFraction,
  storedParameters,
  thinElements,
} from '../../../app/engine/model/factored';
import { FactoredWeights } from '../../../app/engine/model/factoredWeights';
import { weightMatrices, type MatrixKind, type WeightMatrix } from '../../../app/engine/model/matrices';
import { vitParameters } from '../../../app/engine/model/parameters';
import { stepFlops, type VitPlan } from '../../../app/engine/model/memory';
import { defaultMatmulTuning } from '../../../app/engine/ops/matmul';
import { erf } from '../../reference/erf';
import { recompose, svd64 } from '../../reference/svd';
import { maxError, uniform, useGpu } from '../../support/gpu';

const gpu = useGpu();

const size = (rows: number, cols: number) => ({ rows, cols });

test('the rank of a fraction is ⌊p·m·n/(m+n)⌋, at most the short side', () => {
  expect([0.1, 0.2, 0.5, 1].map((p) => rankOfFraction(p, size(48, 48)))).toEqual([2, 4, 12, 24]);
  expect([0.1, 0.3, 1].map((p) => rankOfFraction(p, size(96, 48)))).toEqual([3, 9, 32]);
  // (0.3 · 20) · 20 / 40 is 3 in this order, and in the order of (20 · 20 / 40) · 0.3, too; 0.7 · 10 · 30 / 40 is 5.25.
  expect(rankOfFraction(0.7, size(30, 10))).toBe(5);
  expect(rankOfFraction(0, size(8, 8))).toBe(0);
  expect(rankOfFraction(0.1, size(3, 4))).toBe(0);
  expect(rankOfFraction(2, size(8, 8))).toBe(8);
  expect(rankOfFraction(2, size(2, 64))).toBe(2);
});

test('the rank of an energy is the smallest whose squares hold it', () => {
  const sigma = [4, 2, 1, 1, 0, 0]; // squares 16, 4, 1, 1
  expect([0, 0.7, 16 / 22, 0.75, 20 / 22, 0.92, 0.97, 1].map((e) => rankOfEnergy(e, sigma))).toEqual([0, 1, 1, 2, 2, 3, 4, 4]);
  expect(rankOfEnergy(0.99, [0, 0, 0])).toBe(0);
  expect(rankOfEnergy(1, Float32Array.of(0.1, 0.1, 0.1))).toBe(3);
});

const config = { imageSize: 8, inChannels: 3, numClasses: 10, patchSize: 4, embedDim: 12, depth: 2, numHeads: 2, mlpRatio: 1.5 };
const matrix = (name: string, kind: MatrixKind, rows: number, cols: number, offset: number): WeightMatrix => ({
  name,
  block: 0,
  kind,
  module: kind === 'q' || kind === 'k' || kind === 'v' ? 'qkv' : kind,
  offset,
  rows,
  cols,
});

test('parameters and operations of a truncated model are counted by its true ranks', () => {
  const table = vitParameters(config);
  const matrices = weightMatrices(config, table, false).filter((m) => m.block >= 0);
  const { layers } = factoredLayout(matrices);
  expect(layers.map(({ name, parts }) => [name, parts]).slice(0, 3)).toEqual([
    ['blocks.0.attn.qkv', 3],
    ['blocks.0.attn.proj', 1],
    ['blocks.0.mlp.fc1', 1],
  ]);
  const ranks = matrices.map((m) => rankOfFraction(0.5, m));
  expect(storedParameters(matrices, ranks)).toBe(2 * (4 * 3 * 24 + 2 * 3 * 30));
  expect(matrixParameters(matrices)).toBe(2 * (4 * 144 + 2 * 216));
  const plan: VitPlan = { config, batch: 6, training: false };
  const full = imageFlops(plan);
  expect(full * 6).toBe(stepFlops(plan).forward);
  // Five tokens; the last block computes one of them after its attention.
  const saved = (rows: number, r: number, m: number, n: number) => 2 * rows * (m * n - r * (m + n));
  const block = (rows: number) => 3 * saved(5, 3, 12, 12) + saved(rows, 3, 12, 12) + 2 * saved(rows, 3, 12, 18);
  expect(full - imageFlops(plan, layers, ranks)).toBe(block(5) + block(1));
  // Three thin activations of five tokens of six images, min(12, 12) wide.
  expect(thinElements(plan, layers)).toBe(3 * 30 * 12);
});

const MATRICES: WeightMatrix[] = [
  matrix('a.qkv.weight[0]', 'q', 7, 7, 0),
  matrix('a.qkv.weight[1]', 'k', 7, 7, 49),
  matrix('a.qkv.weight[2]', 'v', 7, 7, 98),
  matrix('a.fc1.weight', 'fc1', 13, 7, 192),
  matrix('a.fc2.weight', 'fc2', 7, 13, 320),
  matrix('a.proj.weight', 'proj', 8, 8, 448),
  matrix('zero.weight', 'fc1', 5, 9, 512),
  matrix('row.weight', 'head', 1, 6, 576),
];

/** W truncated to rank r in float64. */
function truncated(w: Float32Array, { rows, cols }: WeightMatrix, rank: number): Float64Array {
  const { u, s, v } = svd64(w, rows, cols);
  return recompose(
    u,
    s.map((x, i) => (i < rank ? x : 0)),
    v,
    rows,
    cols,
  );
}

test('layers of odd sizes equal x W_rᵀ + b with the float64 truncation at every kind of rank', async () => {
  const g = gpu();
  const tuning = defaultMatmulTuning(g.info);
  const arena = uniform(640, 3);
  arena.fill(0, 512, 557);
  const view = g.upload('weights', arena);
  const live = g.buffers.liveBytes;
  const factored = new FactoredWeights(g, { matrices: MATRICES, arena: view });
  await factored.build();
  factored.decompose();
  const sigma = await factored.sigma();
  expect(sigma[6]!.every((s) => s === 0)).toBe(true);
  const rows = 5;
  const thin = g.buffers.allocate('thin', 3 * rows * 16 * 4);
  const scratch = g.buffers.allocate('scratch', 1024);
  const cases = [
    [3, 3, 3, 2, 5, 4, 2, 1],
    // Q, K and V apart; nothing of some; all of others.
    [0, 5, 2, 0, 7, 8, 5, 0],
    [7, 7, 7, 7, 7, 8, 5, 1],
  ];
  for (const ranks of cases) {
    factored.truncate(ranks);
    const linear = factored.linear(ranks, { thin, scratch });
    for (const { name, first, parts, inputs, outputs } of factored.layers) {
      const out = parts * outputs;
      const data = { x: uniform(rows * inputs, 5), bias: uniform(out, 6), residual: uniform(rows * out, 7) };
      const views = {
        x: g.upload('x', data.x),
        weight: view,
        bias: g.upload('bias', data.bias),
        residual: g.upload('residual', data.residual),
        gelu: g.buffers.allocate('gelu', rows * out * 4),
        out: g.buffers.allocate('out', rows * out * 4),
      };
      const recorder = new Recorder(g, name);
      linear(recorder, tuning, { rows, inputs, outputs: out, ...views, scratch, label: name });
      const program = await recorder.build();
      program.run();
      const want = new Float64Array(rows * out);
      for (let p = 0; p < parts; p++) {
        const m = MATRICES[first + p]!;
        const w = truncated(arena.slice(m.offset, m.offset + m.rows * m.cols), m, ranks[first + p]!);
        for (let i = 0; i < rows; i++)
          for (let o = 0; o < outputs; o++) {
            let z = data.bias[p * outputs + o]!;
            for (let c = 0; c < inputs; c++) z += data.x[i * inputs + c]! * w[o * inputs + c]!;
            const at = i * out + p * outputs + o;
            want[at] = 0.5 * z * (1 + erf(z / Math.SQRT2)) + data.residual[at]!;
          }
      }
      // σ and vectors are exact to 2e-5 σ₁, σ₁ is at most 4 here, and a row of x has norm 2 at most: a few times 1e-4 at the very
      // worst; what is seen is 2e-6.
      const error = maxError((await g.readFloats(views.out)).slice(0, rows * out), want);
      expect(error, `${name} at ${ranks.join()}`).toBeLessThan(2e-5);
      program.dispose();
      for (const [key, v] of Object.entries(views)) if (key !== 'weight') g.buffers.free(v);
    }
    // A and B are what was multiplied: B A is the truncation.
    const read = await factored.read();
    MATRICES.forEach((m, i) => {
      const { a, b } = read[i]!;
      const r = ranks[i]!;
      expect([a.length, b.length]).toEqual([r * m.cols, r * m.rows]);
      const got = Float64Array.from({ length: m.rows * m.cols }, (_, at) => {
        let sum = 0;
        for (let k = 0; k < r; k++) sum += b[Math.floor(at / m.cols) * r + k]! * a[k * m.cols + (at % m.cols)]!;
        return sum;
      });
      expect(maxError(got, truncated(arena.slice(m.offset, m.offset + m.rows * m.cols), m, r)), m.name).toBeLessThan(1e-5);
    });
  }
  for (const v of [thin, scratch]) g.buffers.free(v);
  factored.dispose();
  expect(g.buffers.liveBytes).toBe(live);
  g.buffers.free(view);
});
