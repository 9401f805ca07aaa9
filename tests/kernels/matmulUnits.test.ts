import { expect, test } from 'vitest';
import { matmulVariant, roundsOperands, unitVariants, type MatrixUnit } from '../../kernels/matmul/matmul';
import { matmulShapeKey } from '../../app/engine/ops/matmul';
import type { MatmulCase } from '../reference/matmul';
import { maxError, useGpu } from '../support/gpu';
import { only, product, tolerance, type ProductOptions } from '../support/product';

const gpu = useGpu();

const CARD: MatrixUnit = { m: 16, n: 16, k: 16, lanes: 32 };
const CORE: MatrixUnit = { m: 8, n: 8, k: 8, lanes: 8 };

test('tilings fit the memory and the invocations of a workgroup', () => {
  const ids = (units: MatrixUnit[], maxComputeWorkgroupStorageSize: number, maxComputeInvocationsPerWorkgroup: number) =>
    unitVariants({ units, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup }).map(({ id }) => id);
  expect(ids([CARD], 16384, 256)).toEqual(['m64x64.16x16x16.32', 'm32x32.16x16x16.32']);
  expect(ids([CARD], 49152, 256)).toEqual(['m64x64.16x16x16.32', 'm128x64.16x16x16.32', 'm32x32.16x16x16.32', 'm128x128.16x16x16.32']);
  expect(ids([CARD], 49152, 128)).toEqual(['m64x64.16x16x16.32', 'm128x64.16x16x16.32', 'm32x32.16x16x16.32']);
  expect(ids([CORE], 16384, 256)).toEqual(['m64x64.8x8x8.8', 'm128x64.8x8x8.8', 'm32x32.8x8x8.8']);
  // Fragments that do not divide a tile.
  expect(ids([{ ...CARD, k: 24 }], 49152, 256)).toEqual([]);
});

test('a variant is found again by its name', () => {
  const [variant] = unitVariants({ units: [CARD], maxComputeWorkgroupStorageSize: 16384, maxComputeInvocationsPerWorkgroup: 256 });
  expect(matmulVariant(variant!.id)).toEqual(variant);
  expect(() => matmulVariant('m32x64.16x16x16.32')).toThrow('m32x64');
  expect(() => matmulVariant('m64x64')).toThrow('m64x64');
});

test('only products whose numbers are stored as halves may be rounded, and they are measured apart', () => {
  expect([{}, { pre: true }, { a: true }, { b: true }, { out: true }].map(roundsOperands)).toEqual([false, false, true, true, true]);
  const shape = { m: 3, n: 4, k: 8 };
  expect(matmulShapeKey({ ...shape, halves: { b: true } })).not.toBe(matmulShapeKey(shape));
  expect(matmulShapeKey({ ...shape, halves: { b: true } })).toBe(matmulShapeKey({ ...shape, halves: { a: true, out: true } }));
});

/** All layouts, both widths, edges of tiles in every direction, more than one tile and panel, a split, and every epilogue. */
const CASES: [MatmulCase, ProductOptions][] = [
  [{ m: 7, n: 12, k: 8 }, { halves: { a: true, b: true } }],
  [
    { m: 70, n: 132, k: 68, transB: true },
    { bias: true, gelu: true, residual: true, halves: { a: true, out: true, pre: true } },
  ],
  [
    { m: 132, n: 68, k: 67, transA: true },
    { accumulate: true, halves: { a: true, b: true } },
  ],
  [{ m: 9, n: 6, k: 13 }, {}],
  [{ m: 9, n: 7, k: 33, transB: true }, {}],
  [{ m: 10, n: 7, k: 5, transA: true, transB: true }, { bias: true }],
  [{ m: 33, n: 4, k: 96, batch: 2, transB: true, strideOut: 136 }, { halves: { b: true } }],
  [
    { m: 12, n: 16, k: 517, transA: true },
    { bias: true, scratch: 1 << 16, halves: { a: true, b: true } },
  ],
];

test('products by matrix units equal the float64 product of rounded operands, twice the same', async () => {
  const { units } = gpu().info;
  const variants = unitVariants(gpu().info);
  // Where the browser does not offer matrix units there are no variants that could run.
  expect(variants.length > 0).toBe(units.length > 0);
  // A software adapter takes minutes to compile the large ones, which are made from the same text.
  for (const { id } of gpu().info.software ? variants.slice(0, 1) : variants)
    for (const [c, o] of CASES) {
      const { results, want, gotPre } = await product(gpu(), only(id, o.scratch ? 1e6 : 0), c, { ...o, rounded: true }, 2);
      // Matrix units need not round each sum to the nearest number: four times what fma is allowed. A stored half has 11 digits.
      const allowed = (values: ArrayLike<number>, half: boolean | undefined) =>
        4 * tolerance(c.k) + (half ? 2 ** -11 * Math.max(...Array.from(values, Math.abs)) : 0);
      expect(maxError(results[0]!, want.out), `${id} ${JSON.stringify([c, o])}`).toBeLessThan(allowed(want.out, o.halves?.out));
      expect(maxError(results[1]!, results[0]!)).toBe(0);
      if (gotPre) expect(maxError(gotPre, want.pre), 'z').toBeLessThan(allowed(want.pre, o.halves?.pre));
    }
}, 120_000);
