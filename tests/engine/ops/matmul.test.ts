import { expect, test, vi } from 'vitest';
import { MATMUL_VARIANTS } from '../../../kernels/matmul/matmul';
import {
  defaultMatmulTuning,
  describeMatmul,
  matmulScratchBytes,
  matmulShapeKey,
  recordMatmul,
  type MatmulTuning,
} from '../../../app/engine/ops/matmul';
import { tuneMatmul } from '../../../app/engine/ops/tune';
import { Race, awake } from '../../../app/engine/ops/timing';
import { heaviest, tuneShapes } from '../../../app/engine/ops/tuneShapes';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { benchGemm } from '../../bench/gemm';
import type { View } from '../../../app/engine/gpu/buffers';
import { matmulReference } from '../../reference/matmul';
import { maxError, uniform, useGpu } from '../../support/gpu';

const gpu = useGpu();
const ids = MATMUL_VARIANTS.map(({ id }) => id);

test('the tuner frees what it allocates and its choice survives JSON and multiplies', async () => {
  const g = gpu();
  const tuned = await tuneMatmul(g);
  expect(g.buffers.liveBytes).toBe(0);
  expect(tuned.gflops).toBeGreaterThan(0);
  const tuning = JSON.parse(JSON.stringify(tuned)) as MatmulTuning;
  for (const kind of [{}, { transB: true }, { transA: true }]) {
    for (const [m, n, k] of [
      [17, 48, 48],
      [300, 250, 6],
    ] as const) {
      const shape = { m, n, k, ...kind };
      expect(ids).toContain(describeMatmul(tuning, shape).variant);
      const data = { a: uniform(m * k, 1), b: uniform(k * n, 2) };
      const views = { a: g.upload('a', data.a), b: g.upload('b', data.b), out: g.buffers.allocate('out', m * n * 4) };
      const recorder = new Recorder(g, 'test');
      recordMatmul(recorder, tuning, { ...shape, ...views });
      const program = await recorder.build();
      program.run();
      // Sums of at most 48 products below 1 in float32, as in the kernel's tests.
      expect(maxError((await g.readFloats(views.out)).slice(0, m * n), matmulReference(shape, data).out)).toBeLessThan(1e-5);
      program.dispose();
      for (const view of Object.values(views)) g.buffers.free(view);
    }
  }
});

test('the tuner stops at its budget, having measured one candidate', async () => {
  const tuned = await tuneMatmul(gpu(), { budgetMs: 0 });
  expect(Object.keys(tuned.rates.nt.large)).toHaveLength(1);
});

test('exact shapes are measured, split where their outputs are few, and multiply as they should', async () => {
  const g = gpu();
  const shapes = [
    { m: 40, n: 24, k: 64, transB: true },
    { m: 24, n: 40, k: 640, transA: true },
  ];
  const choices = await tuneShapes(g, [...shapes, { m: 2, n: 2, k: 2 }], { candidates: ['r4x4', 'r8x8'], budgetMs: 60_000 });
  expect(g.buffers.liveBytes).toBe(0);
  expect(Object.keys(choices).sort()).toEqual(shapes.map(matmulShapeKey).sort());
  const tuning: MatmulTuning = { ...defaultMatmulTuning(g.info), shapes: JSON.parse(JSON.stringify(choices)) as typeof choices };
  expect(describeMatmul(tuning, shapes[0]!).splits).toBe(1);
  expect(describeMatmul(tuning, shapes[1]!).splits).toBe(10);
  for (const shape of shapes) {
    expect(describeMatmul(tuning, shape).variant).toBe(choices[matmulShapeKey(shape)]![0]);
    const { m, n, k } = shape;
    const data = { a: uniform(m * k, 1), b: uniform(k * n, 2) };
    const views = { a: g.upload('a', data.a), b: g.upload('b', data.b), out: g.buffers.allocate('out', m * n * 4) };
    const scratch = g.buffers.allocate('scratch', Math.max(256, matmulScratchBytes(tuning, shape)));
    const recorder = new Recorder(g, 'test');
    recordMatmul(recorder, tuning, { ...shape, ...views, scratch });
    expect(recorder.length).toBe(shape.transA ? 2 : 1);
    const program = await recorder.build();
    program.run();
    // Sums of 640 products below 1 in float32, as in the kernel's tests.
    expect(maxError((await g.readFloats(views.out)).slice(0, m * n), matmulReference(shape, data).out)).toBeLessThan(3e-5);
    program.dispose();
    for (const view of [...Object.values(views), scratch]) g.buffers.free(view);
  }
  expect(await tuneShapes(g, shapes, { candidates: ['r4x4'], budgetMs: 0 })).toEqual({});
  expect(g.buffers.liveBytes).toBe(0);
});

test('a race keeps the fastest, whichever comes first', async () => {
  const g = gpu();
  const programs = await Promise.all(
    [8, 96].map((m) => {
      const [a, b, out] = ['a', 'b', 'out'].map((name) => g.buffers.allocate(name, m * m * 4)) as [View, View, View];
      const recorder = new Recorder(g, 'race');
      // The large one ten times over.
      for (let i = 0; i < (m === 8 ? 1 : 10); i++) recordMatmul(recorder, defaultMatmulTuning(g.info), { m, n: m, k: m, a, b, out });
      return recorder.build();
    }),
  );
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const race = new Race<number>(g);
    for (const i of order) await race.enter(i, programs[i]!);
    expect(race.best).toBe(0);
  }
  for (const program of programs) program.dispose();
  g.buffers.freeAll();
});

test('a device is at work while it waits for what it is to be timed on', async () => {
  const g = gpu();
  const submitted = vi.spyOn(g.device.queue, 'submit');
  // Done once the device was seen at work.
  const slow = vi.waitFor(() => expect(submitted).toHaveBeenCalled()).then(() => 'built');
  expect(await awake(g, slow, { rests: true })).toBe('built');
  await expect(awake(g, Promise.reject(new Error('refused')), { rests: true, end: 0 })).rejects.toThrow('refused');
  submitted.mockClear();
  // Software adapters would take the time from the compiler.
  expect(await awake(g, Promise.resolve(1))).toBe(1);
  if (g.info.software) expect(submitted).not.toHaveBeenCalled();
  expect(g.buffers.liveBytes).toBe(0);
  vi.restoreAllMocks();
});

test('shapes that carry a step are told once each, the heaviest first', () => {
  const [small, large, tiny] = [
    { m: 64, n: 64, k: 64 },
    { m: 64, n: 64, k: 96, transB: true },
    { m: 4, n: 4, k: 4 },
  ] as const;
  expect(heaviest([small, large, tiny])).toEqual([large, small]);
  expect(heaviest([small, large, tiny, small])).toEqual([small, large]);
});

test('the benchmark reports every shape and leaves no buffer', async () => {
  const g = gpu();
  const rows = await benchGemm(g, [{ m: 40, n: 24, k: 64, transA: true }], defaultMatmulTuning(g.info));
  expect(rows).toHaveLength(1);
  expect(rows[0]!.gflops).toBeGreaterThan(0);
  expect(g.buffers.liveBytes).toBe(0);
});

test('defaults name existing variants on every kind of device, and need no feature the device lacks', () => {
  for (const software of [true, false])
    for (const subgroups of [true, false]) {
      const { rates } = defaultMatmulTuning({ ...gpu().info, software, subgroups });
      for (const kind of Object.values(rates))
        for (const size of Object.values(kind))
          for (const id of Object.keys(size)) {
            expect(ids).toContain(id);
            if (!subgroups) expect(MATMUL_VARIANTS.find((variant) => variant.id === id)!.lanes).toBe(false);
          }
    }
});

test('a weight gradient that underfills a graphics card is split over its tokens, a large product is not', () => {
  const tuning = defaultMatmulTuning({ ...gpu().info, software: false });
  const gradient = { m: 192, n: 192, k: 2080, transA: true };
  const { splits } = describeMatmul(tuning, gradient);
  expect(splits).toBeGreaterThan(1);
  expect(matmulScratchBytes(tuning, gradient)).toBe(splits * 192 * 192 * 4);
  expect(matmulScratchBytes(tuning, { m: 8192, n: 768, k: 192 })).toBe(0);
  expect(matmulScratchBytes(defaultMatmulTuning({ ...gpu().info, software: true }), gradient)).toBe(0);
});

test('a tile is not chosen where most of it would lie past the edge', () => {
  const rates = { small: { r8x8: 1.3, r4x4: 1 }, large: { r8x8: 1.3, r4x4: 1 } };
  const tuning: MatmulTuning = { version: 1, rates: { nn: rates, nt: rates, tn: rates }, fill: 0 };
  expect(describeMatmul(tuning, { m: 128, n: 128, k: 8 }).variant).toBe('r8x8');
  expect(describeMatmul(tuning, { m: 4, n: 10, k: 8 }).variant).toBe('r4x4');
  // What takes long to compile is for products that are heavy in all three sides.
  const lasting: MatmulTuning = { ...tuning, heavy: { q16x8: 1.4 } };
  expect(describeMatmul(lasting, { m: 2080, n: 192, k: 192 }).variant).toBe('q16x8');
  expect(describeMatmul(lasting, { m: 208, n: 192, k: 192 }).variant).toBe('r8x8');
  expect(describeMatmul(lasting, { m: 20800, n: 192, k: 48 }).variant).toBe('r8x8');
  // Among those, too, the one with the least past the edge for its speed.
  const both: MatmulTuning = { ...tuning, heavy: { q16x8: 1.4, q24x8: 1.5 } };
  expect(describeMatmul(both, { m: 8320, n: 192, k: 192 }).variant).toBe('q24x8');
  expect(describeMatmul(both, { m: 128, n: 128, k: 8320 }).variant).toBe('q16x8');
});

test('impossible arguments are refused by name', () => {
  const g = gpu();
  const tuning = defaultMatmulTuning(g.info);
  const view = g.buffers.allocate('x', 64);
  const record = (m: number, n: number, k: number) => () =>
    recordMatmul(new Recorder(g, 'test'), tuning, { m, n, k, a: view, b: view, out: view, label: 'fc1' });
  expect(record(0, 4, 4)).toThrow('fc1: m is 0');
  expect(record(2, 4, 2.5)).toThrow('k is 2.5');
  expect(record(8, 2, 4)).toThrow('a holds 64 bytes, 128 are needed');
  expect(record(4, 8, 2)).toThrow('out holds 64 bytes');
  g.buffers.free(view);
});
