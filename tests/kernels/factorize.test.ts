import { expect, test } from 'vitest';
import {
  copy,
  copyGrid,
  packProducts,
  packSegments,
  product,
  productGrid,
  type Product,
  type Segment,
} from '../../kernels/factorize/factorize';
import { Recorder } from '../../app/engine/gpu/recorder';
import { maxError, uniform, useGpu } from '../support/gpu';

const gpu = useGpu();

/** op(a) · op(b) in float64, from the arenas. */
function reference({ a, b, m, n, k, transA, transB, alpha = 1 }: Product, left: Float32Array, right: Float32Array): number[] {
  const out: number[] = [];
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += left[a + (transA ? l * m + i : i * k + l)]! * right[b + (transB ? j * k + l : l * n + j)]!;
      out.push(alpha * sum);
    }
  return out;
}

test('products of any size at any place, both operands plain or transposed, in one dispatch', async () => {
  const g = gpu();
  const [left, right] = [uniform(4000, 1), uniform(4000, 2)];
  const shapes = [
    [1, 1, 1],
    [5, 3, 7],
    [4, 8, 4],
    [17, 33, 5],
    [40, 24, 24],
    [3, 65, 2],
  ] as const;
  const products: Product[] = [];
  let out = 3;
  for (const [m, n, k] of shapes)
    for (const [transA, transB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      products.push({ a: 5 + products.length, b: 1 + 2 * products.length, out, m, n, k, transA, transB, alpha: 0.5 + products.length });
      out += m * n;
    }
  const views = [
    g.upload('products', packProducts(products)),
    g.upload('a', left),
    g.upload('b', right),
    g.buffers.allocate('out', out * 4),
  ];
  const recorder = new Recorder(g, 'test');
  // Two dispatches: a list may begin anywhere in the table.
  const split = 7;
  recorder.dispatch(product, { params: { first: 0 }, buffers: views, grid: productGrid(products.slice(0, split)) });
  recorder.dispatch(product, { params: { first: split }, buffers: views, grid: productGrid(products.slice(split)) });
  const program = await recorder.build();
  program.run();
  const all = await g.readFloats(views[3]!);
  for (const p of products) {
    const got = all.slice(p.out, p.out + p.m * p.n);
    // Sums of up to 24 terms below alpha in magnitude: f32 rounding alone.
    expect(maxError(got, reference(p, left, right))).toBeLessThan(2e-6 * p.alpha!);
  }
  // What lies before the first product is nobody's.
  expect([...all.slice(0, 3)]).toEqual([0, 0, 0]);
  program.dispose();
  for (const view of views) g.buffers.free(view);
});

test('segments are copied to their places and back, and nothing beside them is touched', async () => {
  const g = gpu();
  const segments: Segment[] = [
    { trained: 0, effective: 64, length: 1 },
    { trained: 64, effective: 200, length: 130 },
  ];
  const from = uniform(400, 3);
  const views = [g.upload('segments', packSegments(segments)), g.upload('from', from), g.buffers.allocate('to', 1600)];
  for (const back of [0, 1]) {
    g.write(views[2]!, new Float32Array(400).fill(9));
    const recorder = new Recorder(g, 'test');
    recorder.dispatch(copy, { params: { back }, buffers: views, grid: copyGrid(segments) });
    const program = await recorder.build();
    program.run();
    const want = new Float32Array(400).fill(9);
    for (const { trained, effective, length } of segments) {
      const [source, target] = back ? [effective, trained] : [trained, effective];
      want.set(from.subarray(source, source + length), target);
    }
    expect(await g.readFloats(views[2]!)).toEqual(want);
    program.dispose();
  }
  for (const view of views) g.buffers.free(view);
});
