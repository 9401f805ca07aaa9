import { expect, test } from 'vitest';
import { MATMUL_VARIANTS, matmulKernel } from '../../kernels/matmul/matmul';
import erfSource from '../../kernels/lib/erf.wgsl?raw';
import { fields, type KernelSpec } from '../../kernels/spec';
import { recordMatmul, type MatmulArgs, type MatmulTuning } from '../../app/engine/ops/matmul';
import type { View } from '../../app/engine/gpu/buffers';
import { Recorder } from '../../app/engine/gpu/recorder';
import { matmulReference, type MatmulCase } from '../reference/matmul';
import { erf } from '../reference/erf';
import { maxError, uniform, useGpu } from '../support/gpu';
import { packHalves, unpackHalves } from '../support/halves';
import { only, product as productOn, tolerance, type ProductOptions } from '../support/product';

const gpu = useGpu();
const product = (tuning: MatmulTuning, c: MatmulCase, o?: ProductOptions, runs?: number) => productOn(gpu(), tuning, c, o, runs);

const KINDS = [
  { transA: false, transB: false },
  { transA: false, transB: true },
  { transA: true, transB: false },
  { transA: true, transB: true },
];
const SHAPES = [
  { m: 1, n: 1, k: 1 },
  { m: 7, n: 5, k: 3 },
  { m: 17, n: 48, k: 48 },
  { m: 65, n: 10, k: 64 },
  { m: 33, n: 130, k: 31 },
  { m: 36, n: 20, k: 67 },
];
// A software adapter takes seconds to compile a large tile. These reach every layout of an operand, both widths and every
// edge; the small tiles, made from the same sources, go through all combinations.
const FEW_CASES: MatmulCase[] = [
  { m: 33, n: 130, k: 31, transB: true },
  { m: 36, n: 20, k: 68, transA: true },
];
const SMALL_TILES = ['r4x4', 'q8x4'];
/** The largest are made from the same sources as the other tiles, which go through both. */
const few = (id: string): MatmulCase[] => (['q24x8', 's64x96', 's128x128'].includes(id) ? FEW_CASES.slice(1) : FEW_CASES);

for (const { id } of MATMUL_VARIANTS)
  test(`${id} equals the float64 product`, async () => {
    const all = KINDS.flatMap((kind) => SHAPES.map((shape) => ({ ...shape, ...kind })));
    for (const c of SMALL_TILES.includes(id) ? all : few(id)) {
      const { got, want } = await product(only(id), c);
      expect(maxError(got, want.out), JSON.stringify(c)).toBeLessThan(tolerance(c.k));
    }
  }, 120_000);

test('s32x32 equals the float64 product in every transposition, one element or many', async () => {
  for (const kind of KINDS)
    // The last in whole panels, where nothing is masked along k.
    for (const shape of [SHAPES[0]!, SHAPES[5]!, { m: 36, n: 20, k: 48 }]) {
      const { got, want } = await product(only('s32x32'), { ...shape, ...kind });
      expect(maxError(got, want.out), JSON.stringify({ ...shape, ...kind })).toBeLessThan(tolerance(shape.k));
    }
}, 120_000);

test('every variant gives the same bits', async () => {
  for (const c of FEW_CASES) {
    const first = await product(only('r4x4'), c);
    for (const { id } of MATMUL_VARIANTS) {
      if (!few(id).includes(c)) continue;
      const { results } = await product(only(id), c, {}, 2);
      for (const result of results) expect(maxError(result, first.got), id).toBe(0);
    }
  }
}, 120_000);

const BATCHES: MatmulCase[] = [
  { m: 9, n: 8, k: 12, batch: 3 },
  { m: 5, n: 7, k: 9, batch: 3, transB: true },
  { m: 8, n: 12, k: 10, batch: 2, transA: true, strideA: 84, strideB: 120, strideOut: 100 },
  // Vector-sized rows at strides that are not: the scalar forms must be taken.
  { m: 8, n: 8, k: 8, batch: 3, strideA: 67, strideB: 0, strideOut: 65 },
];
for (const id of ['r4x4', 'q8x4', 's32x32'])
  test(`${id} multiplies batches at strides and leaves the gaps alone`, async () => {
    for (const c of BATCHES) {
      const { got, want } = await product(only(id), c, { accumulate: c.strideA === 84 });
      expect(maxError(got, want.out), JSON.stringify(c)).toBeLessThan(tolerance(c.k));
    }
  });

const ROWS: MatmulCase[] = [
  // Q, K and V of five tokens: shared input, three outputs side by side in rows of 3n.
  { m: 5, n: 8, k: 12, batch: 3, strideA: 0, rowOut: 24 },
  { m: 5, n: 7, k: 9, batch: 3, transB: true, rowOut: 21 },
  // A gap behind the items of each row, and items further apart than n.
  { m: 6, n: 4, k: 8, batch: 2, strideOut: 8, rowOut: 16 },
  { m: 9, n: 4, k: 5, rowOut: 7 },
  { m: 1, n: 1, k: 1, rowOut: 1 },
];
const ROW_EPILOGUES: ProductOptions[] = [{ bias: true, gelu: true, residual: true }, { bias: true }, { accumulate: true }];
// Panels take seconds to compile; the epilogue is the same text in all of them.
for (const id of ['r4x4', 'q8x4', 's32x32'])
  test(`${id} writes into longer rows, items side by side, and leaves the gaps alone`, async () => {
    for (const c of id === 's32x32' ? ROWS.slice(0, 2) : ROWS)
      for (const o of id === 's32x32' ? ROW_EPILOGUES.slice(0, 1) : ROW_EPILOGUES) {
        const { got, gotPre, want } = await product(only(id), c, o);
        expect(maxError(got, want.out), JSON.stringify([c, o])).toBeLessThan(tolerance(c.k));
        if (gotPre) expect(maxError(gotPre, want.pre), 'z').toBeLessThan(tolerance(c.k));
      }
  });

test('a product split over k adds up into longer rows', async () => {
  for (const c of [
    { m: 5, n: 8, k: 130, batch: 3, rowOut: 24 },
    { m: 5, n: 7, k: 200, batch: 2, rowOut: 15 },
  ]) {
    const { got, want, dispatches } = await product(only('r4x4', 1e6), c, { bias: true, gelu: true, residual: true, scratch: 1 << 16 });
    expect(dispatches).toBe(2);
    expect(maxError(got, want.out)).toBeLessThan(tolerance(c.k));
  }
});

// A half has 11 digits: rounding one below 4 errs by at most 2^-10, on top of what the sum in f32 does.
const halfTolerance = (k: number): number => 2 ** -10 + tolerance(k);
const HALVES: [MatmulCase, ProductOptions][] = [
  [{ m: 7, n: 12, k: 8 }, { halves: { a: true, b: true } }],
  [
    { m: 9, n: 8, k: 12, transB: true },
    { bias: true, gelu: true, residual: true, halves: { a: true, out: true, pre: true } },
  ],
  [
    { m: 12, n: 20, k: 67, transA: true },
    { accumulate: true, halves: { a: true, b: true, out: true } },
  ],
  [
    { m: 5, n: 8, k: 12, batch: 3, strideA: 0, rowOut: 24 },
    { bias: true, gelu: true, halves: { b: true, pre: true } },
  ],
  [{ m: 33, n: 4, k: 36, batch: 2, transB: true, strideOut: 136 }, { halves: { b: true, out: true } }],
  [
    { m: 12, n: 16, k: 517, transA: true },
    { bias: true, gelu: true, scratch: 1 << 16, halves: { a: true, b: true, out: true, pre: true } },
  ],
];
// The panels of workgroup memory are filled by the same function; they take seconds to compile.
for (const id of ['r4x4', 'q8x4', 's32x32'])
  test(`${id} reads and writes halves, two to a word`, async () => {
    for (const [c, o] of id === 's32x32' ? HALVES.slice(1, 3) : HALVES) {
      const { got, gotPre, want, dispatches } = await product(only(id, o.scratch ? 1e6 : 0), c, o);
      expect(dispatches).toBe(o.scratch ? 2 : 1);
      const allowed = (half: boolean | undefined) => (half ? 2 ** (c.k > 100 ? 4 : 1) * halfTolerance(c.k) : tolerance(c.k));
      expect(maxError(got, want.out), JSON.stringify([c, o])).toBeLessThan(allowed(o.halves!.out));
      if (gotPre) expect(maxError(gotPre, want.pre), 'z').toBeLessThan(allowed(o.halves!.pre));
    }
  });

test('halves whose rows are no multiple of four are refused by name', () => {
  const g = gpu();
  const view = g.buffers.allocate('x', 256);
  const record = (size: number, args: Partial<MatmulArgs>) => () =>
    recordMatmul(new Recorder(g, 'test'), only('r4x4'), { m: 4, n: size, k: size, a: view, b: view, out: view, label: 'fc1', ...args });
  expect(record(6, { halves: { a: true } })).toThrow('fc1: a is stored as halves');
  expect(record(6, { halves: { out: true }, transB: true })).toThrow('out is stored as halves');
  expect(record(4, { halves: { b: true }, batch: 2, strideA: 0, strideB: 6, strideOut: 0 })).toThrow('b is stored as halves');
  expect(record(4, { halves: { pre: true } })).toThrow('there is no gelu');
  expect(record(12, { halves: { a: true, b: true, out: true } })).toThrow('b holds 256 bytes, 288 are needed');
  g.buffers.free(view);
});

test('the kernels of dense outputs are the text they were before there were longer rows', () => {
  const form = { transA: false, transB: true, vecA: true, vecB: true, vecOut: true, bias: true };
  const { code, params } = matmulKernel(MATMUL_VARIANTS[0]!, form);
  expect(code).toContain('let at = base + row * p.n + col;');
  expect(code).not.toContain('row_out');
  expect(params.map(({ name }) => name)).not.toContain('row_out');
});

for (const n of [12, 10])
  for (const id of ['r4x4', 's32x32'])
    test(`epilogues of ${id} at n = ${n}`, async () => {
      const shape = { m: 21, n, k: 18, batch: 2 };
      for (const scratch of [0, 1 << 16])
        for (const bits of id === 'r4x4' ? [0, 1, 2, 4, 8, 15] : [15]) {
          const o = { bias: !!(bits & 1), gelu: !!(bits & 2), residual: !!(bits & 4), accumulate: !!(bits & 8), scratch };
          const { got, gotPre, want, dispatches } = await product(only(id, scratch ? 1e6 : 0), { ...shape, k: scratch ? 130 : 18 }, o);
          expect(dispatches).toBe(scratch ? 2 : 1);
          expect(maxError(got, want.out), JSON.stringify(o)).toBeLessThan(tolerance(scratch ? 130 : 18));
          if (gotPre) expect(maxError(gotPre, want.pre), 'z').toBeLessThan(tolerance(scratch ? 130 : 18));
        }
    });

for (const id of ['r4x4', 's32x32'])
  test(`${id} split over k repeats bit for bit at awkward sizes`, async () => {
    for (const shape of [
      { m: 12, n: 16, k: 517, transA: true },
      { m: 5, n: 7, k: 200, transB: true },
      { m: 3, n: 9, k: 333 },
    ])
      // Room for two parts only, and for all.
      for (const scratch of [2 * 4 * (shape.m * shape.n + 3), 1 << 16]) {
        const { results, want, dispatches } = await product(only(id, 1e6), shape, { scratch }, 2);
        expect(dispatches).toBe(2);
        expect(maxError(results[0]!, want.out)).toBeLessThan(tolerance(shape.k));
        expect(maxError(results[1]!, results[0]!)).toBe(0);
      }
  });

test('gelu, its derivative and erf are exact to 1e-6 over [-8, 8]', async () => {
  const count = 20001;
  const spec: KernelSpec = {
    name: 'test/erf',
    code: `${erfSource}
struct Params { count: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x < p.count) {
    y[g.x] = gelu(x[g.x]);
    y[p.count + g.x] = gelu_slope(x[g.x]).y;
    y[2u * p.count + g.x] = erf_approx(x[g.x]);
  }
}`,
    params: fields('u32 count'),
    bindings: [
      { name: 'x', access: 'read' },
      { name: 'y', access: 'readwrite' },
    ],
  };
  const g = gpu();
  const x = Float32Array.from({ length: count }, (_, i) => -8 + (16 * i) / (count - 1));
  const views = [g.upload('x', x), g.buffers.allocate('y', 3 * count * 4)];
  const program = await new Recorder(g, 'erf')
    .dispatch(spec, { params: { count }, buffers: views, grid: [Math.ceil(count / 64), 1, 1] })
    .build();
  program.run();
  const got = await g.readFloats(views[1]!);
  program.dispose();
  for (const view of views) g.buffers.free(view);
  const cdf = (v: number) => 0.5 * (1 + erf(v / Math.SQRT2));
  const want = [
    Array.from(x, (v) => v * cdf(v)),
    Array.from(x, (v) => cdf(v) + (v * Math.exp(-0.5 * v * v)) / Math.sqrt(2 * Math.PI)),
    Array.from(x, (v) => erf(v)),
  ];
  want.forEach((values, i) => {
    const error = maxError(got.subarray(i * count, (i + 1) * count), values);
    console.info(`erf part ${i}: max error ${error.toExponential(2)}`);
    expect(error).toBeLessThan(1e-6);
  });
});

const D_GELU: readonly (readonly [id: string, n: number, scratch: number, halves: boolean])[] = [
  ['r4x4', 12, 0, false],
  ['r4x4', 7, 0, false],
  ['r4x4', 8, 1 << 16, true],
  ['q8x4', 36, 0, true],
];
test('a product times the derivative of GELU, whose output takes the place of its input', async () => {
  const g = gpu();
  const refused: MatmulArgs[] = [];
  for (const [id, n, scratchBytes, halves] of D_GELU) {
    const [m, k] = [21, scratchBytes ? 132 : 20];
    const stored = (data: Float32Array): Float32Array => (halves ? unpackHalves(packHalves(data)) : data);
    const inputs = { a: uniform(m * k, 1), b: uniform(k * n, 2), before: uniform(m * n, 5) };
    const z = stored(uniform(m * n, 3, -3, 3));
    const up = (data: Float32Array<ArrayBuffer>, half: boolean) => g.upload('x', half ? packHalves(data) : data);
    const [a, b, pre] = [up(inputs.a, false), up(inputs.b, false), up(z as Float32Array<ArrayBuffer>, halves)];
    const out = g.buffers.allocate('out', m * n * (halves ? 2 : 4));
    const scratch = scratchBytes ? { scratch: g.buffers.allocate('scratch', scratchBytes) } : {};
    const args: MatmulArgs = { m, n, k, a, b, out, dGelu: pre, halves: { out: halves, pre: halves }, ...scratch };
    refused.push({ ...args, gelu: pre });
    const recorder = new Recorder(g, 'dGelu');
    recordMatmul(recorder, only(id, scratchBytes ? 1e6 : 0), args);
    expect(recorder.length).toBe(scratchBytes ? 2 : 1);
    const program = await recorder.build();
    program.run();
    program.dispose();
    const read = async (view: View) =>
      (halves ? unpackHalves(new Uint16Array(await g.read(view))) : await g.readFloats(view)).slice(0, m * n);
    const plain = matmulReference({ m, n, k }, inputs).out;
    const phi = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2));
    const want = plain.map((v, i) => v * (phi(z[i]!) + (z[i]! * Math.exp(-0.5 * z[i]! ** 2)) / Math.sqrt(2 * Math.PI)));
    // The slope is below 1.13; of a half below 16 the last digit is worth 2^-7.
    const allowed = 1.2 * tolerance(k) + 1e-6 * k + (halves ? 2 ** -7 : 0);
    expect(maxError(await read(out), want), `${id} ${n}`).toBeLessThan(allowed);
    expect(maxError(await read(pre), z.map((x) => x * phi(x)) as Float32Array), `${id} ${n}`).toBeLessThan(1e-6 + (halves ? 2 ** -10 : 0));
    g.buffers.freeAll();
  }
  expect(() => recordMatmul(new Recorder(g, 'both'), only('r4x4'), refused[0]!)).toThrow('not for one product');
});
