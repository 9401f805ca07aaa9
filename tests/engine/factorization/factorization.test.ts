import { expect, test } from 'vitest';
import { defaultMatmulTuning } from '../../../app/engine/ops/matmul';
import { Factorization } from '../../../app/engine/factorization/factorization';
import { importFactors } from '../../../app/engine/factorization/import';
import { initialFactors, randomRotation } from '../../../app/engine/factorization/initial';
import { factorBytes, factorLayout, type ArenaTable } from '../../../app/engine/factorization/layout';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { loraRank } from '../../../app/engine/factorization/rank';
import { loraLayer, loritaLayer } from '../../../app/engine/train/factorDesk';
import { svd64 } from '../../reference/svd';
import { goldenCases, type GoldenCase, type GoldenTensor } from '../../support/golden';
import { maxError, relativeError, uniform, useGpu } from '../../support/gpu';

const gpu = useGpu();

const matrixOf = (tensors: Map<string, GoldenTensor>, name: string) => {
  const { data, shape } = tensors.get(name)!;
  return { data: data as Float32Array, rows: shape[0]!, cols: shape[1]! };
};
const within = (spec: GoldenCase, tensors: Map<string, GoldenTensor>, name: string, got: ArrayLike<number>): void => {
  const key = `${spec.id}.${name}`;
  expect(maxError(got, tensors.get(key)!.data), key).toBeLessThan(spec.expected[key]!.atol);
};

test('golden LoRITa layers, one to four factors and a fused qkv: product, output and every gradient', async () => {
  const g = gpu();
  const tuning = defaultMatmulTuning(g.info);
  const cases = await goldenCases('lorita');
  expect(cases.map((c) => c.spec.id)).toEqual(['lorita_n1', 'lorita_n2', 'lorita_n4', 'lorita_qkv']);
  for (const { spec, tensors } of cases) {
    const { out_features: parts, N } = spec.params as { out_features: number[]; N: number };
    const x = matrixOf(tensors, `${spec.id}.x`);
    const all = matrixOf(tensors, `${spec.id}.G`);
    const y = new Float32Array(x.rows * all.cols);
    const dx = new Float32Array(x.data.length);
    let column = 0;
    for (const [i, width] of parts.entries()) {
      const prefix = parts.length > 1 ? `part${i}.` : '';
      const gradOut = { data: new Float32Array(x.rows * width), rows: x.rows, cols: width };
      for (let r = 0; r < x.rows; r++) gradOut.data.set(all.data.subarray(r * all.cols + column, r * all.cols + column + width), r * width);
      const factors = Array.from({ length: N }, (_, j) => matrixOf(tensors, `${spec.id}.${prefix}W${j + 1}`));
      const bias = tensors.get(`${spec.id}.${prefix}bias`)!.data as Float32Array;
      const layer = await loritaLayer(g, tuning, { x, factors, bias, gradOut });
      within(spec, tensors, `${prefix}merged`, layer.merged);
      within(spec, tensors, `${prefix}dbias`, layer.dBias);
      layer.dFactors.forEach((d, j) => within(spec, tensors, `${prefix}dW${j + 1}`, d));
      for (let r = 0; r < x.rows; r++) y.set(layer.y.subarray(r * width, (r + 1) * width), r * all.cols + column);
      layer.dx.forEach((d, k) => (dx[k]! += d));
      column += width;
    }
    within(spec, tensors, 'y', y);
    within(spec, tensors, 'dx', dx);
  }
  expect(g.buffers.liveBytes).toBe(0);
});

test('golden LoRA layers: rank given and rank from a share, output and every gradient', async () => {
  const g = gpu();
  const cases = await goldenCases('lora');
  expect(cases).toHaveLength(2);
  for (const { spec, tensors } of cases) {
    const [x, a, b, gradOut] = ['x', 'A', 'B', 'G'].map((name) => matrixOf(tensors, `${spec.id}.${name}`));
    expect(loraRank(spec.params.rank_spec as number, b!.cols, a!.rows)).toBe(spec.params.rank);
    const layer = await loraLayer(g, defaultMatmulTuning(g.info), {
      x: x!,
      a: a!,
      b: b!,
      gradOut: gradOut!,
      alpha: spec.params.alpha as number,
    });
    within(spec, tensors, 'y', layer.y);
    within(spec, tensors, 'dx', layer.dx);
    within(spec, tensors, 'dA', layer.dA);
    within(spec, tensors, 'dB', layer.dB);
  }
});

const table = (shapes: readonly (readonly [string, readonly number[]])[]): ArenaTable => {
  let total = 0;
  const entries = shapes.map(([name, shape]) => {
    const length = shape.reduce((x, y) => x * y, 1);
    const entry = { name, shape, offset: total, length };
    total += Math.ceil(length / 64) * 64;
    return entry;
  });
  return { entries, byName: new Map(entries.map((e) => [e.name, e])), total, count: entries.reduce((s, e) => s + e.length, 0) };
};
const model = table([
  ['first', [7]],
  ['qkv.weight', [27, 9]],
  ['qkv.bias', [27]],
  ['norm', [9]],
  ['fc.weight', [13, 9]],
]);
const at = (name: string, row = 0) => model.byName.get(name)!.offset + row * 9;
/** Rows 2 to 7 and 7 to 20 of one weight, and all of another. */
const targets = [
  { name: 'qkv.weight(2-7)', offset: at('qkv.weight', 2), rows: 5, cols: 9, rank: 3 },
  { name: 'qkv.weight(7-20)', offset: at('qkv.weight', 7), rows: 13, cols: 9, rank: 9 },
  { name: 'fc.weight', offset: at('fc.weight'), rows: 13, cols: 9, rank: 2 },
];
const kinds = [
  { kind: 'lora', alpha: 2 },
  { kind: 'lorita', depth: 2 },
  { kind: 'lorita', depth: 3 },
  { kind: 'lorita', depth: 5 },
] as const;

test('the trained arena: factors in place of the targets, uncovered rows as parameters, neighbours copied in one segment', () => {
  const layout = factorLayout(model, targets, { kind: 'lorita', depth: 2 })!;
  expect(layout.trained.entries.map((e) => e.name)).toEqual([
    'first',
    'qkv.weight(0-2)',
    'qkv.weight(2-7).lorita.1',
    'qkv.weight(2-7).lorita.2',
    'qkv.weight(7-20).lorita.1',
    'qkv.weight(7-20).lorita.2',
    'qkv.weight(20-27)',
    'qkv.bias',
    'norm',
    'fc.weight.lorita.1',
    'fc.weight.lorita.2',
  ]);
  expect(layout.trained.entries.every((e) => e.offset % 64 === 0)).toBe(true);
  const lora = factorLayout(model, targets, { kind: 'lora', alpha: 1 })!;
  expect(lora.trained.byName.get('qkv.weight(2-7).lora.A')!.shape).toEqual([9, 3]);
  expect(lora.trained.byName.get('qkv.weight(2-7).lora.B')!.shape).toEqual([3, 5]);
  expect(lora.trained.count).toBe(7 + 18 + 14 * 3 + 22 * 9 + 63 + 27 + 9 + 22 * 2);
  expect(factorLayout(model, targets, { kind: 'lorita', depth: 1 })).toBeUndefined();
  expect(factorLayout(model, [], { kind: 'lora', alpha: 1 })).toBeUndefined();
});

test.each(kinds)('$kind $depth: gradients of the factors are the derivatives of a function of the weights', async (kind) => {
  const g = gpu();
  const layout = factorLayout(model, targets, kind)!;
  const params = g.buffers.allocate('params', layout.trained.total * 4);
  const grads = g.buffers.allocate('grads', layout.trained.total * 4);
  const f = new Factorization(g, layout, { params, grads });
  await f.build();
  // The tables of products, 44 bytes each, are not counted.
  expect(Math.abs(f.bytes - factorBytes(layout))).toBeLessThan(2048);
  const start = initialFactors(layout, uniform(model.total, 1), 3);
  const slope = uniform(model.total, 2);
  g.write(f.weightGrads, slope);
  const recorder = new Recorder(g, 'backward');
  f.recordGradients(recorder);
  const backward = await recorder.build();
  /** Σ slope ∘ weights, over what belongs to a parameter. */
  const loss = async (arena: Float32Array): Promise<number> => {
    g.write(params, arena);
    f.compose();
    const w = await g.readFloats(f.weights);
    return model.entries.reduce((sum, { offset, length }) => {
      for (let i = offset; i < offset + length; i++) sum += w[i]! * slope[i]!;
      return sum;
    }, 0);
  };
  await loss(start);
  backward.run();
  const gradient = await g.readFloats(grads);
  // The weights are multilinear in each factor: a central difference along one factor alone has no truncation error.
  for (const { offset, length, name } of layout.trained.entries) {
    const direction = uniform(length, 7);
    const moved = (h: number): Float32Array => {
      const arena = start.slice();
      for (let i = 0; i < length; i++) arena[offset + i]! += h * direction[i]!;
      return arena;
    };
    const slopeAlong = (await loss(moved(0.5))) - (await loss(moved(-0.5)));
    let want = 0;
    let size = 0;
    for (let i = 0; i < length; i++) {
      want += gradient[offset + i]! * direction[i]!;
      size += Math.abs(gradient[offset + i]! * direction[i]!);
    }
    expect(Math.abs(slopeAlong - want), name).toBeLessThan(1e-4 * size + 1e-4);
  }
  backward.dispose();
  f.dispose();
  g.buffers.free(params);
  g.buffers.free(grads);
  expect(g.buffers.liveBytes).toBe(0);
});

test.each(kinds)('$kind $depth: imported weights come back, exactly with LoRITa, as the best approximation with LoRA', async (kind) => {
  const g = gpu();
  const layout = factorLayout(model, targets, kind)!;
  const arena = uniform(model.total, 5);
  const { trained, kept } = await importFactors(g, layout, arena);
  const params = g.upload('params', trained);
  const grads = g.buffers.allocate('grads', params.size);
  const f = new Factorization(g, layout, { params, grads });
  await f.build();
  f.compose();
  const weights = await g.readFloats(f.weights);
  for (const { name, offset, length } of model.entries) {
    const [got, want] = [weights.slice(offset, offset + length), arena.slice(offset, offset + length)];
    if (kind.kind === 'lorita' || !name.endsWith('.weight')) expect(got, name).toEqual(want);
  }
  if (kind.kind === 'lora') {
    let held = 0;
    let all = 0;
    for (const { offset, rows, cols, rank } of targets) {
      const want = arena.slice(offset, offset + rows * cols);
      const { s } = svd64(want, rows, cols);
      const tail = Math.sqrt(s.slice(rank).reduce((sum, x) => sum + x * x, 0));
      const norm = Math.sqrt(s.reduce((sum, x) => sum + x * x, 0));
      const error = relativeError(weights.slice(offset, offset + rows * cols), want) * norm;
      // Eckart and Young: nothing of that rank is nearer.
      expect(Math.abs(error - tail)).toBeLessThan(1e-5 * norm);
      held += norm ** 2 - tail ** 2;
      all += norm ** 2;
    }
    expect(kept).toBeCloseTo(held / all, 5);
  } else expect(kept).toBe(1);
  f.dispose();
  g.buffers.free(params);
  g.buffers.free(grads);
});

test('random rotations are orthogonal and reach every entry; other seeds give others', () => {
  for (const n of [1, 2, 9, 64]) {
    const q = randomRotation(n, 3, 4);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let dot = 0;
        for (let k = 0; k < n; k++) dot += q[i * n + k]! * q[j * n + k]!;
        expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-12);
      }
  }
  const q = randomRotation(64, 3, 4);
  // Entries of a uniformly random rotation have variance 1/n; a quarter of it in every row means that none is left out.
  for (let i = 0; i < 64; i++) expect(Math.max(...q.slice(i * 64, (i + 1) * 64).map(Math.abs))).toBeLessThan(0.7);
  expect(randomRotation(64, 4, 4)).not.toEqual(q);
  expect(randomRotation(64, 3, 5)).not.toEqual(q);
});

test('a LoRITa start has the spectrum of the dense start, a LoRA start its scale', async () => {
  const g = gpu();
  const big = table([['w.weight', [60, 40]]]);
  const target = [{ name: 'w.weight', offset: 0, rows: 60, cols: 40, rank: 8 }];
  const dense = uniform(big.total, 1, -0.034, 0.034);
  for (const kind of [{ kind: 'lorita', depth: 4 } as const, { kind: 'lora', alpha: 0.7 } as const]) {
    const layout = factorLayout(big, target, kind)!;
    const trained = initialFactors(layout, dense, 9);
    expect(initialFactors(layout, dense, 9)).toEqual(trained);
    const params = g.upload('params', trained);
    const grads = g.buffers.allocate('grads', params.size);
    const f = new Factorization(g, layout, { params, grads });
    await f.build();
    f.compose();
    const w = (await g.readFloats(f.weights)).slice(0, 2400);
    if (kind.kind === 'lorita') expect(maxError(svd64(w, 60, 40).s, svd64(dense.slice(0, 2400), 60, 40).s)).toBeLessThan(1e-5);
    else {
      const std = Math.sqrt(w.reduce((sum, x) => sum + x * x, 0) / w.length);
      // 2,400 entries of a product of rank 8: their mean square is known to about a tenth.
      expect(std).toBeGreaterThan(0.016);
      expect(std).toBeLessThan(0.024);
    }
    f.dispose();
    g.buffers.free(params);
    g.buffers.free(grads);
  }
});
