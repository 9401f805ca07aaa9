import { afterEach, expect, test } from 'vitest';
import { augmentation, sampleIndex } from '../../kernels/gather/gather';
import { DatasetTooLargeError, GpuDataset } from '../../app/engine/ops/gather';
import { Recorder } from '../../app/engine/gpu/recorder';
import type { Gpu } from '../../app/engine/gpu/device';
import { maxError, uniform, useGpu } from '../support/gpu';
import { stepState } from '../support/stepState';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

/** Mean 0 and deviation 1/255 leave bytes as they are, so that pixels can be compared exactly. */
const RAW = { mean: [0, 0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255, 1 / 255] };

function source(count: number, channels: number, imageSize: number) {
  const bytes = (n: number, seed: number, below: number) => Uint8Array.from(uniform(n, seed, 0, below));
  return {
    images: bytes(count * channels * imageSize ** 2, 1, 256),
    labels: bytes(count, 2, 250),
    count,
    channels,
    imageSize,
    label: 'test',
  };
}
type Source = ReturnType<typeof source>;

function pixelsOf(s: Source, sample: number, dx = 4, dy = 4, flip = false): number[] {
  const { imageSize: size, channels } = s;
  const out: number[] = [];
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const sx = (flip ? size - 1 - x : x) + dx - 4;
        const sy = y + dy - 4;
        const inside = sx >= 0 && sx < size && sy >= 0 && sy < size;
        out.push(inside ? s.images[((sample * channels + c) * size + sy) * size + sx]! : 0);
      }
  return out;
}

function targets(g: Gpu, s: Source, batch: number) {
  return {
    images: g.buffers.allocate('images', batch * s.channels * s.imageSize ** 2 * 4),
    labels: g.buffers.allocate('labels', batch * 4),
    batch,
  };
}

test.each([1, 2, 3, 63, 64, 65, 1000, 4097])('every sample of %i stands exactly once in an epoch', (count) => {
  const orders = [0, 1].map((epoch) => Array.from({ length: count }, (_, i) => sampleIndex(7, epoch, i, count)));
  for (const order of orders) {
    expect(order.every((k) => k >= 0 && k < count)).toBe(true);
    expect(new Set(order).size).toBe(count);
  }
  expect(sampleIndex(7, 0, count, count)).toBe(orders[1]![0]);
  if (count >= 63) {
    expect(orders[0]).not.toEqual(orders[1]);
    expect(orders[0]).not.toEqual(orders[0]!.slice().sort((a, b) => a - b));
    expect(orders[0]).not.toEqual(Array.from({ length: count }, (_, i) => sampleIndex(8, 0, i, count)));
  }
});

test('an order is mixed: neighbours do not stay neighbours, and places do not predict samples', () => {
  const n = 4096;
  const order = Array.from({ length: n }, (_, i) => sampleIndex(3, 2, i, n));
  const near = order.filter((k, i) => i > 0 && Math.abs(k - order[i - 1]!) < 8).length;
  // 14 of 4095 neighbours are expected near each other 4095 times over 4096: 14 ± 3.7.
  expect(near).toBeLessThan(14 + 5 * 3.8);
  const mean = (n - 1) / 2;
  const covariance = order.reduce((sum, k, i) => sum + (k - mean) * (i - mean), 0);
  // A correlation of n pairs has standard error 1/sqrt(n).
  expect(Math.abs(covariance / (n * ((n * n - 1) / 12)))).toBeLessThan(5 / Math.sqrt(n));
});

test('crops and flips take every value about equally often', () => {
  const n = 8100;
  const seen = new Map<string, number>();
  let flips = 0;
  for (let i = 0; i < n; i++) {
    const { dx, dy, flip } = augmentation(1, 0, i);
    seen.set(`${dx},${dy}`, (seen.get(`${dx},${dy}`) ?? 0) + 1);
    flips += flip ? 1 : 0;
  }
  expect(seen.size).toBe(81);
  // 100 expected in each of 81 cells, deviation 10; flips are n coins.
  for (const count of seen.values()) expect(Math.abs(count - 100)).toBeLessThan(50);
  expect(Math.abs(flips - n / 2)).toBeLessThan(5 * 0.5 * Math.sqrt(n));
  expect(augmentation(1, 1, 5)).not.toEqual(augmentation(1, 0, 5));
});

test.each([
  { count: 1, channels: 1, size: 5, batch: 3, augment: 'none' },
  { count: 13, channels: 3, size: 8, batch: 5, augment: 'none' },
  { count: 13, channels: 3, size: 8, batch: 20, augment: 'basic' },
  { count: 65, channels: 1, size: 7, batch: 63, augment: 'basic' },
  { count: 9, channels: 4, size: 32, batch: 4, augment: 'basic' },
] as const)('a batch is what the CPU picks: %o', async ({ count, channels, size, batch, augment }) => {
  const g = gpu();
  const s = source(count, channels, size);
  // Shards of at most five images: two or more of them, with a boundary inside the batch, up to 20 images; four at 65.
  const set = GpuDataset.upload(g, { ...s, ...RAW }, channels * size ** 2 * (count > 20 ? 17 : 5));
  const position = count > 3 ? count - 3 : 0;
  const state = stepState(g, { seed: 99, epoch: 4, position, trainCount: count, augment });
  const target = targets(g, s, batch);
  const rec = new Recorder(g, 'gather');
  set.recordGather(rec, { ...target, state: state.view });
  const program = await rec.build();
  program.run();
  const want: number[] = [];
  const wantLabels: number[] = [];
  for (let b = 0; b < batch; b++) {
    const at = position + b;
    const sample = sampleIndex(99, 4, at, count);
    const crop = augment === 'basic' ? augmentation(99, 4 + Math.floor(at / count), sample) : { dx: 4, dy: 4, flip: false };
    want.push(...pixelsOf(s, sample, crop.dx, crop.dy, crop.flip));
    wantLabels.push(s.labels[sample]!);
  }
  expect([...(await g.readFloats(target.images))].slice(0, want.length)).toEqual(want);
  expect([...new Int32Array(await g.read(target.labels))].slice(0, batch)).toEqual(wantLabels);
});

test('sequential batches start where asked, repeat the last sample past the end, and are normalised', async () => {
  const g = gpu();
  const s = source(7, 3, 6);
  const mean = [0.4, 0.5, 0.6];
  const std = [0.2, 0.25, 0.3];
  const set = GpuDataset.upload(g, { ...s, mean, std });
  const start = g.upload('start', Uint32Array.of(4));
  const target = targets(g, s, 5);
  const rec = new Recorder(g, 'gather');
  set.recordSequential(rec, { ...target, start });
  const program = await rec.build();
  program.run();
  const want = [4, 5, 6, 6, 6].flatMap((k) =>
    pixelsOf(s, k).map((x, i) => (x / 255 - mean[Math.floor(i / 36)]!) / std[Math.floor(i / 36)]!),
  );
  // One rounded product and sum of numbers up to 5: 2 ulp are 1e-6.
  expect(maxError(await g.readFloats(target.images), want)).toBeLessThan(1e-6);
  expect([...new Int32Array(await g.read(target.labels))].slice(0, 5)).toEqual([4, 5, 6, 6, 6].map((k) => s.labels[k]));
  // The byte counts are those of the pool, rounded up to 16: 7 · 108 and 7.
  expect(set.bytes).toBe(768 + 16);
  const live = g.buffers.liveBytes;
  set.dispose();
  expect(g.buffers.liveBytes).toBe(live - 784);
});

test('a data set that does not fit, or whose sizes disagree, is refused', () => {
  const g = gpu();
  const s = source(9, 1, 4);
  expect(() => GpuDataset.upload(g, { ...s, ...RAW }, 32)).toThrow(DatasetTooLargeError);
  expect(() => GpuDataset.upload(g, { ...s, ...RAW, count: 8 })).toThrow(/144 pixels and 9 labels for 8/);
  expect(() => GpuDataset.upload(g, { ...s, ...RAW, channels: 5, images: new Uint8Array(720) })).toThrow(/5 channels/);
  expect(g.buffers.liveBytes).toBe(0);
});
