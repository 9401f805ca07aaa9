import { expect, test } from 'vitest';
import { stepProducts } from '../../../app/engine/model/memory';
import { Gpu } from '../../../app/engine/gpu/device';
import { Profiler } from '../../../app/engine/profile/profile';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { Session } from '../../../app/engine/train/session';
import { fmaKernel } from '../../../kernels/peak/peak';
import { resolveModel } from '../../../app/engine/train/datasets';
import type { Event } from '../../../app/protocol/messages';
import { kernelTime, ratesOf, roofAt, ridge, sumOf, type KernelFigures } from '../../../app/protocol/roofline';
import { tiny } from './support';

const experiment = tiny({
  model: { depth: 2 },
  train: { batchSize: 4, steps: 6, evalEvery: 0 },
  method: { name: 'adamq3r', reweightEvery: 2, targetRank: 0.2 },
});

test('a run that a measurement comes between goes on bit for bit; every kernel of a step is timed and counted; it can be cancelled', async () => {
  const events: Event[] = [];
  let cancelAt = Infinity;
  const session = new Session((event) => {
    events.push(event);
    if (event.type === 'roofline' && event.share > cancelAt) session.roofline.cancel();
  });
  await session.init('/nowhere/', false);
  await session.configure(experiment);
  const alone = await session.step(6);
  await session.reset();
  await session.start();
  const before = session.memory().liveBuffers;
  const report = await session.roofline.measure({ experiment, seconds: 0 });
  expect(session.memory().liveBuffers).toBe(before);
  expect(session.history().length).toBeLessThan(6);
  while (session.history().length < 6) await new Promise((resolve) => setTimeout(resolve, 10));
  await session.pause();
  expect(session.history()).toEqual(alone);
  const stages = events.flatMap((event) => (event.type === 'roofline' ? [event.share] : []));
  expect(stages).toEqual([...stages].sort((a, b) => a - b));

  const { kernels, peaks, rounds } = report;
  expect(report).toMatchObject({ clock: 'timestamps', rounds: 2, refreshEvery: 2, gathered: true, software: true });
  expect(kernels.filter((k) => !k.counted)).toEqual([]);
  expect(new Set(kernels.map((k) => k.part))).toEqual(new Set(['forward', 'backward', 'optimizer', 'q3r', 'svd']));
  expect(kernels.every((k) => k.milliseconds >= 0 && k.bytes >= 0) && kernelTime(kernels) > 0 && rounds > 0).toBe(true);
  // Nothing that works on memory and registers can be over what was measured by much; the adapter shares two cores with others.
  expect(peaks.gflops).toBeGreaterThan(0.5);
  expect(peaks.gbps).toBeGreaterThan(0.05);

  // Counted from the dispatches, and from the shapes of the model: the products, with biases, GELU and residuals.
  const config = resolveModel(experiment, undefined);
  const products = stepProducts({ config, batch: 4, training: true });
  let want = 0;
  for (const { name, pass, shape } of products) {
    want += 2 * shape.m * shape.n * shape.k;
    if (pass === 'forward')
      want += shape.m * shape.n * (/fc1$/.test(name) ? 6 : /(proj|fc2)$/.test(name) && !name.startsWith('patch') ? 2 : 1);
  }
  const counted = kernels.filter((k) => k.kernel.startsWith('matmul/')).reduce((sum, k) => sum + k.flops, 0);
  expect(counted).toBe(want);

  // Given up in its middle it leaves nothing behind. Images that are not at hand are not fetched for it.
  cancelAt = 0.35;
  await expect(session.roofline.measure({ experiment: { ...experiment, dataset: 'cifar10' } })).rejects.toThrow(/cancelled/);
  expect(session.memory().liveBuffers).toBe(before);
  const huge = tiny({ model: { patchSize: 2, depth: 12, embedDim: 1024, numHeads: 16 }, train: { batchSize: 1024 } });
  await expect(session.roofline.measure({ experiment: huge })).rejects.toThrow(/this device|graphics memory/);
  await session.dispose();
});

test('without timestamps the wall clock times the first of each kind, repeated', async () => {
  const gpu = await Gpu.open();
  const profiler = new Profiler(gpu, () => undefined, false);
  expect(profiler.clock).toBe('wall');
  const sums = gpu.buffers.allocate('sums', 64 * 64 * 4);
  const recorder = new Recorder(gpu, 'wall').setPhase('forward');
  for (const [block, turns] of [
    [0, 4],
    [1, 4],
    [0, 64],
  ])
    recorder.dispatch(fmaKernel(2), {
      params: { turns: turns!, x: 0.5, y: 0.5 },
      buffers: [sums],
      grid: [64, 1, 1],
      work: turns!,
      label: turns === 4 ? `blocks.${block}.short` : 'long',
    });
  await profiler.run(await recorder.build(), async () => undefined);
  const [short, long] = profiler.take();
  expect(short).toMatchObject({ name: 'blocks.*.short', dispatches: 2, flops: 8, counted: false });
  expect(short!.milliseconds).toBeGreaterThan(0);
  expect(long!.milliseconds).toBeGreaterThan(0);
  profiler.dispose();
  gpu.dispose();
});

test('rates follow from time, operations and bytes', () => {
  const peaks = { gflops: 100, gbps: 10 };
  expect([ridge(peaks), roofAt(peaks, 5), roofAt(peaks, 50)]).toEqual([10, 50, 100]);
  const k: KernelFigures = {
    ...{ part: 'forward', name: 'a', kernel: 'b', dispatches: 2, milliseconds: 2, flops: 5e7, bytes: 1e7, counted: true },
  };
  expect(ratesOf(k, peaks, 8)).toEqual({ share: 0.25, gflops: 25, gbps: 5, intensity: 5, ofRoof: 0.5 });
  // A copy has the bandwidth for a roof.
  expect(ratesOf({ ...k, flops: 0 }, peaks, 8)).toMatchObject({ gflops: 0, ofRoof: 0.5 });
  expect(ratesOf({ ...k, milliseconds: 0 }, peaks, 8)).toMatchObject({ share: 0, gflops: NaN, ofRoof: NaN });
  expect(sumOf('svd', [k, { ...k, counted: false }])).toMatchObject({ dispatches: 4, milliseconds: 4, flops: 1e8, counted: false });
});
