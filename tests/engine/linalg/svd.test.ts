import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { svd } from '../../../app/engine/linalg/svd';
import { SvdBatch, hardwareTuning, quartets } from '../../../app/engine/linalg/svdBatch';
import { orthonormality, recompose, svd64 } from '../../reference/svd';
import { goldenCases } from '../../support/golden';
import { maxError, uniform, useGpu } from '../../support/gpu';

const gpu = useGpu();
type F32 = Float32Array<ArrayBuffer>;

/** Singular values above rounding noise, whose vectors mean something. */
const meant = (s: ArrayLike<number>) => (c: number) => s[c]! > 1e-5 * s[0]!;

describe('one matrix', () => {
  // 5e-7 per entry is some ulps of f32 for unit vectors; 2e-6 σ₁ leaves a tenth of the golden tolerance.
  test.each([
    [1, 1],
    [1, 7],
    [7, 1],
    [2, 2],
    [3, 5],
    [9, 4],
    [17, 33],
    [33, 17],
  ])('%i × %i: triplets orthonormal, in order, and recompose it', async (rows, cols) => {
    const data = uniform(rows * cols, rows * 100 + cols);
    const { u, s, v } = await svd(gpu(), { data, rows, cols });
    const k = Math.min(rows, cols);
    expect([u.length, s.length, v.length]).toEqual([rows * k, k, cols * k]);
    const want = svd64(data, rows, cols);
    expect(maxError(s, want.s)).toBeLessThan(2e-6 * want.s[0]!);
    expect(orthonormality(u, rows, k)).toBeLessThan(4e-6);
    expect(orthonormality(v, cols, k)).toBeLessThan(4e-6);
    expect(maxError(recompose(u, s, v, rows, cols), data)).toBeLessThan(4e-6 * want.s[0]!);
    expect([...s]).toEqual([...s].sort((a, b) => b - a));
  });

  test('zero, rank one, and entries near the ends of f32', async () => {
    const zero = await svd(gpu(), { data: new Float32Array(15), rows: 3, cols: 5 });
    expect([...zero.s, ...zero.v]).toEqual(Array<number>(3 + 15).fill(0));
    expect(zero.u.every(Number.isFinite)).toBe(true);
    const rank1 = Float32Array.from({ length: 24 }, (_, i) => (Math.floor(i / 4) + 1) * ((i % 4) - 1.5));
    const one = await svd(gpu(), { data: rank1, rows: 6, cols: 4 });
    const want = svd64(rank1, 6, 4).s;
    expect(maxError(one.s, want)).toBeLessThan(2e-6 * want[0]!);
    expect(maxError(recompose(one.u, one.s, one.v, 6, 4), rank1)).toBeLessThan(4e-6 * want[0]!);
    for (const scale of [1e-25, 1e25]) {
      const data = uniform(35, 5, -scale, scale);
      const { s } = await svd(gpu(), { data, rows: 7, cols: 5 });
      expect(maxError(s, svd64(data, 7, 5).s)).toBeLessThan(2e-6 * svd64(data, 7, 5).s[0]!);
    }
  });

  test('refuses what is no matrix', async () => {
    await expect(svd(gpu(), { data: new Float32Array(5), rows: 2, cols: 3 })).rejects.toThrow(/5 entries/);
    await expect(svd(gpu(), { data: new Float32Array([1, NaN]), rows: 1, cols: 2 })).rejects.toThrow(/finite/);
    await expect(svd(gpu(), { data: new Float32Array(4), rows: 2, cols: 2 }, { rank: 0 })).rejects.toThrow(/rank/);
  });

  test('property: any small matrix', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer(),
        fc.boolean(),
        async (rows, cols, seed, ties) => {
          const data = uniform(rows * cols, seed);
          if (ties) data.forEach((x, i) => (data[i] = Math.round(x)));
          const { u, s, v } = await svd(gpu(), { data, rows, cols });
          const want = svd64(data, rows, cols);
          const top = Math.max(want.s[0]!, 1e-20);
          expect(maxError(s, want.s)).toBeLessThan(4e-6 * top);
          expect(orthonormality(u, rows, want.k, meant(s))).toBeLessThan(1e-5);
          expect(orthonormality(v, cols, want.k, meant(s))).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 12, seed: 7 },
    );
  });
});

describe('randomized, from a cold Gaussian start', () => {
  test('golden matrices: leading singular values within 1e-3 of the largest', async () => {
    const cases = (await goldenCases('q3r-operator')).filter(({ spec }) =>
      [
        'gauss_64x64',
        'gauss_48x16',
        'tied_64x64',
        'slow_96x96',
        'fast_64x64',
        'trained_80x48',
        'lowrank_over_96x64',
        'tiny_64x48',
        'zero_64x48',
      ].includes(spec.id),
    );
    expect(cases).toHaveLength(9);
    for (const { spec, tensors } of cases) {
      const w = tensors.get(`${spec.id}.W`)!;
      const [rows, cols] = w.shape as [number, number];
      const rank = (spec.params as { target_rank: number }).target_rank + 1;
      const { u, s, v } = await svd(gpu(), { data: w.data as F32, rows, cols }, { rank });
      const want = tensors.get(`${spec.id}.sigma`)!.data.slice(0, rank);
      expect(s).toHaveLength(rank);
      expect(maxError(s, want), spec.id).toBeLessThanOrEqual(1e-3 * want[0]!);
      expect(orthonormality(u, rows, rank, meant(s)), spec.id).toBeLessThan(1e-5);
      expect(orthonormality(v, cols, rank, meant(s)), spec.id).toBeLessThan(1e-5);
    }
  });
});

describe('batches', () => {
  const shapes = [
    { name: 'square', offset: 0, rows: 12, cols: 12 },
    { name: 'wide', offset: 256, rows: 6, cols: 21 },
    { name: 'tall', offset: 512, rows: 19, cols: 5 },
    { name: 'odd', offset: 640, rows: 7, cols: 7 },
  ];
  // More columns than any tile of a product: products of columns with themselves have tiles to mirror.
  const tiled = [...shapes, { name: 'several tiles', offset: 704, rows: 41, cols: 38 }];
  const tiledArena = uniform(704 + 41 * 38, 11);
  const arena = tiledArena.slice(0, 704);
  const part = (data: F32, m: { offset: number; rows: number; cols: number }) => data.slice(m.offset, m.offset + m.rows * m.cols);

  test('give every matrix what it gets alone, bit for bit, and the lanes of a GPU agree with one', async () => {
    const g = gpu();
    const view = g.upload('arena', tiledArena);
    const batch = new SvdBatch(g, { matrices: tiled, arena: view });
    const gpuTuning = { ...hardwareTuning(38, 16384, 256), lanes: { LANES: 4, PAIRS: 2 }, wide: 16 };
    const wide = new SvdBatch(g, { matrices: tiled, arena: view, tuning: gpuTuning });
    // Every round over A V a dispatch, as for columns by the hundred.
    const apart = new SvdBatch(g, { matrices: tiled, arena: view, tuning: { ...gpuTuning, apart: { from: 12, lanes: gpuTuning.lanes } } });
    // Products by lanes of a subgroup, as software adapters have them for wide matrices; cards have other subgroups.
    const four = { LANES: 1, PAIRS: 4 };
    const quarters = quartets(g);
    const alone = { lanes: four, tile: 4, group: 16, wide: 4, share: 1, each: 1 } as const;
    const own = new SvdBatch(g, { matrices: tiled, arena: view, tuning: alone });
    const shared = new SvdBatch(g, { matrices: tiled, arena: view, tuning: { ...alone, tile: quarters ? 16 : 4, each: 2 } });
    // Four lanes of a subgroup for eight Jacobi columns, likewise.
    const lanes = new SvdBatch(g, {
      matrices: tiled,
      arena: view,
      tuning: {
        ...alone,
        each: 2,
        apart: { from: 12, lanes: four, triangles: true, groups: 8, shared: quarters },
      },
    });
    const all = [batch, own, wide, apart, shared, lanes];
    await Promise.all(all.map((b) => b.build()));
    for (const b of all) b.coldExact().run();
    expect((await batch.readStatus()).every((s) => s.fromNothing)).toBe(true);
    apart.exact(3).run();
    for (const [i, m] of tiled.entries()) {
      const k = Math.min(m.rows, m.cols);
      const got = await batch.readTriplets(i, k);
      expect(await shared.readTriplets(i, k)).toEqual(await own.readTriplets(i, k));
      expect(got).toEqual(await svd(g, { data: part(tiledArena, m), rows: m.rows, cols: m.cols }));
      for (const b of [own, wide, apart, lanes]) {
        const other = await b.readTriplets(i, k);
        expect(maxError(other.s, got.s)).toBeLessThan(2e-6 * got.s[0]!);
        expect(maxError(recompose(other.u, other.s, other.v, m.rows, m.cols), part(tiledArena, m))).toBeLessThan(1e-5);
      }
    }
    expect([...(await wide.readStatus()), ...(await apart.readStatus()), ...(await lanes.readStatus())].every((s) => s.converged)).toBe(
      true,
    );
    // A sketch of all columns from a Gaussian start leaves the work to the square in a workgroup's memory.
    for (const b of [wide, own, shared]) {
      b.reset();
      b.sketch(1, 12, 'fine').run();
    }
    expect((await wide.readStatus()).every((s) => s.converged && s.sweeps <= 2 && !s.fromNothing)).toBe(true);
    for (const [i, m] of tiled.entries()) {
      const k = Math.min(m.rows, m.cols);
      const { u, s, v } = await wide.readTriplets(i, k);
      expect(await shared.readTriplets(i, k)).toEqual(await own.readTriplets(i, k));
      expect(maxError(s, svd64(part(tiledArena, m), m.rows, m.cols).s)).toBeLessThan(2e-6 * s[0]!);
      expect(maxError(recompose(u, s, v, m.rows, m.cols), part(tiledArena, m))).toBeLessThan(1e-5);
    }
    for (const b of all) b.dispose();
    g.buffers.free(view);
    expect(g.buffers.liveBytes).toBe(0);
  });

  test('a sketch of a matrix of lower rank has zeros behind it, and finds what comes later', async () => {
    const g = gpu();
    const [rows, cols] = [20, 16];
    // Columns that depend exactly: not even rounding makes a direction of them.
    const low = Float32Array.from({ length: rows * cols }, (_, i) => ([0, 17, 34].includes(i) ? 1 + Math.floor(i / 16) : 0));
    const full = uniform(rows * cols, 5);
    const want = svd64(full, rows, cols).s;
    const view = g.upload('arena', low);
    const batch = new SvdBatch(g, { matrices: [{ name: 'x', offset: 0, rows, cols }], arena: view });
    await batch.build();
    // Of all columns, too: those that are known are not looked for any more.
    for (const sketch of [6, cols]) {
      batch.configure([3], [sketch]);
      batch.reset();
      g.write(view, low);
      for (let refresh = 0; refresh < 2; refresh++) {
        batch.sketch(1, 12).run();
        const { s, v } = await batch.readTriplets(0, sketch);
        expect(maxError(s, [3, 2, 1, ...new Float32Array(sketch - 3)])).toBeLessThan(6e-6);
        expect(orthonormality(v, cols, sketch, meant(s))).toBeLessThan(1e-5);
      }
      g.write(view, full);
      for (let refresh = 0; refresh < 8; refresh++) batch.sketch(1, 12).run();
      const { s, v } = await batch.readTriplets(0, sketch);
      expect(orthonormality(v, cols, sketch)).toBeLessThan(1e-5);
      // From below, as fast as the gaps between singular values allow.
      const shares = [0, 1, 2].map((i) => s[i]! / want[i]!);
      expect(shares.every((share) => share > 0.99 && share < 1.000002)).toBe(true);
    }
    batch.dispose();
    g.buffers.free(view);
  });

  test('vectors of another matrix: sweeps go on until the columns are orthogonal', async () => {
    const [rows, cols] = [72, 70];
    const arena = gpu().upload('arena', uniform(rows * cols, 21));
    const batch = new SvdBatch(gpu(), { matrices: [{ name: 'x', offset: 0, rows, cols }], arena });
    await batch.build();
    batch.coldExact().run();
    // Too large for their squares, which the norm is the sum of.
    const data = uniform(rows * cols, 22, -1e20, 1e20);
    gpu().write(arena, data);
    batch.exact(12).run();
    const { u, s } = await batch.readTriplets(0, cols);
    expect(maxError(s, svd64(data, rows, cols).s)).toBeLessThan(2e-6 * s[0]!);
    expect(orthonormality(u, rows, cols)).toBeLessThan(4e-6);
    // Those that counted: how far apart the columns are is looked up behind the first two, and is no sweep.
    const { sweeps, norm2 } = (await batch.readStatus())[0]!;
    expect(sweeps).toBeGreaterThan(4);
    // A meeting that turns columns by wrong angles needs more. A card adds up in another order, and one column may cost it a sweep.
    expect(sweeps).toBeLessThan(gpu().info.software ? 9 : 10);
    expect(norm2 / data.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
    batch.dispose();
    gpu().buffers.free(arena);
  });

  test('120 warm refreshes of slowly moving matrices: two or three sweeps each, no drift, no allocation', async () => {
    const g = gpu();
    const data = arena.slice();
    const drift = uniform(arena.length, 12, -0.004, 0.004);
    const view = g.upload('arena', data);
    const batch = new SvdBatch(g, { matrices: shapes, arena: view });
    const shown = new SvdBatch(g, { label: 'shown', matrices: shapes, arena: view, vectors: false });
    expect([batch.bytes, shown.bytes]).toEqual(
      [SvdBatch.bytesFor(shapes), SvdBatch.bytesFor(shapes, false)].map((b) => expect.closeTo(b, -3)),
    );
    await Promise.all([batch.build(), shown.build()]);
    const created = g.buffers.createdCount;
    for (let refresh = 0; refresh < 120; refresh++) {
      const sign = refresh % 50 < 25 ? 1 : -1;
      data.forEach((x, i) => (data[i] = x + sign * drift[i]!));
      g.write(view, data);
      batch.exact(refresh === 0 ? 12 : 6).run();
      shown.exact(refresh === 0 ? 12 : 4, 'coarse').run();
    }
    expect(g.buffers.createdCount).toBe(created);
    const status = await batch.readStatus();
    expect(status.every((s) => s.converged && s.sweeps <= 4)).toBe(true);
    const sigma = await g.readFloats(shown.sigma);
    for (const [i, m] of shapes.entries()) {
      const k = Math.min(m.rows, m.cols);
      const { u, s, v } = await batch.readTriplets(i, k);
      const want = svd64(part(data, m), m.rows, m.cols);
      // The same bounds as after one cold decomposition: nothing has accumulated.
      expect(maxError(s, want.s)).toBeLessThan(2e-6 * want.s[0]!);
      expect(orthonormality(u, m.rows, k, meant(s))).toBeLessThan(4e-6);
      expect(orthonormality(v, m.cols, k)).toBeLessThan(4e-6);
      const at = shown.layout.entries[i]!.s;
      // The coarse tolerance is for the eye: it may leave |cos| of 1e-3 between columns of equal length.
      expect(maxError(sigma.slice(at, at + k), want.s)).toBeLessThan(1e-3 * want.s[0]!);
    }
    batch.dispose();
    shown.dispose();
    g.buffers.free(view);
  });
});
