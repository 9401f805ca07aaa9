import { afterEach, describe, expect, test } from 'vitest';
import {
  colour as colourSpec,
  DRAW_BYTES,
  mixImages,
  OPERATIONS,
  readDraw,
  strongAugmentation,
  warp as warpSpec,
  type Draw,
} from '../../kernels/gather/augment';
import { sampleIndex } from '../../kernels/gather/gather';
import { foldGrid } from '../../kernels/spec';
import type { Gpu } from '../../app/engine/gpu/device';
import { Recorder } from '../../app/engine/gpu/recorder';
import { GpuDataset, type TrainTarget } from '../../app/engine/ops/gather';
import { Stage } from '../../app/engine/ops/stage';
import { colour, resample, warp } from '../reference/augment';
import { maxError, uniform, useGpu } from '../support/gpu';
import { stepState } from '../support/stepState';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

const RAW = { mean: [0, 0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255, 1 / 255] };
const source = (count: number, channels: number, imageSize: number) => ({
  images: Uint8Array.from(uniform(count * channels * imageSize ** 2, 1, 0, 256)),
  labels: Uint8Array.from(uniform(count, 2, 0, 250)),
  count,
  channels,
  imageSize,
  label: 'test',
});

async function dispatch(g: Gpu, record: (rec: Recorder) => void): Promise<void> {
  const rec = new Recorder(g, 'test');
  record(rec);
  const program = await rec.build();
  program.run();
  program.dispose();
}

/** A block of records as the GPU reads them. */
function records(draws: readonly Pick<Draw, 'kinds' | 'amounts' | 'a' | 't'>[]): Uint8Array<ArrayBuffer> {
  const bytes = new ArrayBuffer(draws.length * DRAW_BYTES);
  draws.forEach(({ kinds, amounts, a, t }, i) => {
    const u = new Uint32Array(bytes, i * DRAW_BYTES, DRAW_BYTES / 4);
    const f = new Float32Array(bytes, i * DRAW_BYTES, DRAW_BYTES / 4);
    u[0] = i;
    f.set([...a, ...t], 6);
    u.set(kinds, 12);
    f.set(amounts, 17);
  });
  return new Uint8Array(bytes);
}

/** One strongly augmented batch: its records, input and labels. */
async function strong(g: Gpu, set: GpuDataset, target: { batch: number; first?: number; out: number; channels: number; position: number }) {
  const { batch, first = 0, out, channels, position } = target;
  const shape = { imageSize: out, channels };
  const stage = Stage.create(g, { from: set.shape, to: shape, batch, strong: true })!;
  const state = stepState(g, { seed: 5, epoch: 2, position, trainCount: set.count, augment: 'strong' });
  const images = g.buffers.allocate('images', batch * channels * out * out * 4);
  const labels = g.buffers.allocate('labels', batch * 4);
  const to: TrainTarget = { state: state.view, images, labels, batch, first, shape, stage, strong: true };
  await dispatch(g, (rec) => set.recordGather(rec, to));
  const bytes = await g.read(stage.draws!);
  return {
    draws: Array.from({ length: batch }, (_, b) => readDraw(bytes, b)),
    images: (await g.readFloats(images)).slice(0, batch * channels * out * out),
    labels: [...new Int32Array(await g.read(labels))].slice(0, batch),
  };
}

test.each([true, false])('records are what the CPU draws, and depend on the sample and epoch alone (flip %s)', async (flip) => {
  const g = gpu();
  const s = source(67, 1, 8);
  const set = GpuDataset.upload(g, { ...s, ...RAW, flip });
  const whole = await strong(g, set, { batch: 70, out: 12, channels: 1, position: 60 });
  whole.draws.forEach((got, b) => {
    const epoch = 2 + Math.floor((60 + b) / 67);
    const sample = sampleIndex(5, 2, 60 + b, 67);
    const want = strongAugmentation(5, epoch, sample, { size: 8, out: 12, flip });
    expect([got.sample, got.key, got.kinds]).toEqual([sample, want.key, want.kinds]);
    // Sine and cosine of WebGPU are good to 2^-11.
    expect(maxError([...got.a, ...got.t], [...want.a, ...want.t])).toBeLessThan(4e-3);
    expect(maxError(got.amounts, want.amounts)).toBeLessThan(2e-5);
    // A side that is almost half a pixel may round either way.
    expect(maxError(got.box, want.box)).toBeLessThanOrEqual(2);
    if (!flip) expect(got.a[0]).toBeGreaterThan(0);
  });
  expect(whole.labels).toEqual(whole.draws.map((d) => s.labels[d.sample]));
  expect(whole.draws.some((d) => d.a[0]! < 0)).toBe(flip);
  // The same images in two parts.
  const parts = [0, 35].map((first) => strong(g, set, { batch: 35, first, out: 12, channels: 1, position: 60 }));
  const split = await Promise.all(parts);
  expect(split.flatMap((p) => [...p.images])).toEqual([...whole.images]);
  expect(split.flatMap((p) => p.labels)).toEqual(whole.labels);
});

test('every operation comes up as often as the others, erasing in a quarter of the images, boxes inside them', () => {
  const n = 12_000;
  const seen = new Map<string, number>();
  let erased = 0;
  let outside = 0;
  for (let i = 0; i < n; i++) {
    const { kinds, a, t, box, amounts } = strongAugmentation(1, 0, i, { size: 32, out: 32, pad: 0, flip: false });
    const [left, top, right, bottom] = box as [number, number, number, number];
    if (right > left) erased++;
    if (left < 0 || top < 0 || right > 32 || bottom > 32 || amounts.slice(2).some((f) => Math.abs(f - 1) > 0.4)) outside++;
    const map = [a[0]! - 1, a[1]!, a[2]!, a[3]! - 1, ...t];
    const still = kinds[0] === 0 && kinds[1] === 0 && map.every((v) => Math.abs(v) < 1e-9);
    for (const name of still ? ['identity'] : [0, 1].flatMap((k) => (kinds[k] ? [OPERATIONS[kinds[k]]!] : [])))
      seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  expect(outside).toBe(0);
  // 2 n / 12 expected of each, deviation 43; a binomial of p = 1/4 for erasing, 47.
  for (const name of OPERATIONS.slice(6)) expect(Math.abs(seen.get(name)! - n / 6)).toBeLessThan(5 * 43);
  expect(Math.abs(erased - n / 4)).toBeLessThan(5 * 48);
  // Identity twice, or an operation and its inverse: (1 + 5/2) / 144.
  expect(Math.abs(seen.get('identity')! - (n * 3.5) / 144)).toBeLessThan(5 * 17);
});

test.each([
  [1, 1, 5],
  [3, 3, 8],
  [4, 4, 7],
])('%i warped images of %i channels, %i pixels a side, are those of float64', async (count, channels, size) => {
  const g = gpu();
  const s = source(count, channels, size);
  const maps = [
    { a: [1, 0, 0, 1], t: [0, 0] },
    { a: [-1, 0, 0, 1], t: [2, -1] },
    { a: [0.96, -0.28, 0.28, 0.96], t: [0.3, -1.7] },
    { a: [-0.9, 0.2, 0.1, 1.05], t: [-3, 0.5] },
  ].slice(0, count);
  const draws = g.upload('draws', records(maps.map((m) => ({ ...m, kinds: [], amounts: [] }))));
  // The queue takes multiples of four bytes.
  const padded = (bytes: Uint8Array) => new Uint8Array([...bytes, 0, 0, 0].slice(0, 4 * Math.ceil(bytes.length / 4)));
  const images = g.upload('images', padded(s.images));
  const classes = g.upload('classes', new Uint8Array(4 * count));
  const staged = g.buffers.allocate('staged', s.images.length * 4);
  const labels = g.buffers.allocate('labels', count * 4);
  await dispatch(g, (rec) => {
    rec.dispatch(warpSpec, {
      params: { batch: count, channels, size, per_shard: count },
      buffers: [draws, images, classes, classes, classes, classes, staged, labels],
      grid: foldGrid(count),
    });
  });
  const got = await g.readFloats(staged);
  const one = channels * size * size;
  maps.forEach((map, i) => {
    const want = warp(s.images.subarray(i * one, (i + 1) * one), channels, size, map);
    // Coordinates below 8 err by 1e-6, which a slope of 255 per pixel magnifies. Whole-pixel maps copy bytes.
    const error = maxError(got.subarray(i * one, (i + 1) * one), want);
    if (i < 2) expect(error).toBe(0);
    expect(error).toBeLessThan(2e-3);
  });
});

describe.each([1, 3, 4])('colour operations on %i channels', (channels) => {
  test.each([
    ['brightness', [6, 0, 0, 0, 0], [1.4, 0, 0, 0, 0]],
    ['saturation', [0, 7, 0, 0, 0], [0, 0.6, 0, 0, 0]],
    ['contrast', [8, 0, 0, 0, 0], [1.27, 0, 0, 0, 0]],
    ['posterize', [9, 0, 0, 0, 0], [32, 0, 0, 0, 0]],
    ['solarize', [10, 0, 0, 0, 0], [178.5, 0, 0, 0, 0]],
    ['autocontrast', [11, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
    ['all in a row', [11, 8, 6, 8, 7], [0, 0.73, 0.8, 1.3, 1.35]],
  ])('%s', async (_, kinds, amounts) => {
    const g = gpu();
    const plane = 7 * 7;
    const one = channels * plane;
    // Whole numbers, so that a threshold is not met by rounding; the second image is flat, the third narrow.
    const data = uniform(3 * one, 3, 0, 256).map((v, i) => (i < one ? Math.floor(v) : i < 2 * one ? 40 : 100 + Math.floor(v / 8)));
    const draw = { kinds, amounts, a: [1, 0, 0, 1], t: [0, 0] };
    const draws = g.upload('draws', records([draw, draw, draw]));
    const staged = g.upload('staged', data);
    await dispatch(g, (rec) => {
      rec.dispatch(colourSpec, { params: { batch: 3, channels, plane }, buffers: [draws, staged], grid: foldGrid(3) });
    });
    const got = await g.readFloats(staged);
    for (let i = 0; i < 3; i++) {
      const want = colour(data.subarray(i * one, (i + 1) * one), channels, plane, draw);
      // A mean of 49 values up to 255, stretched up to eightfold: some 1e-4.
      expect(maxError(got.subarray(i * one, (i + 1) * one), want)).toBeLessThan(1e-3);
    }
  });
});

test.each([
  { size: 1, out: 3, channels: 1, outputs: 1 },
  { size: 5, out: 5, channels: 3, outputs: 3 },
  { size: 8, out: 21, channels: 3, outputs: 3 },
  { size: 13, out: 5, channels: 1, outputs: 3 },
  { size: 32, out: 7, channels: 4, outputs: 4 },
  { size: 7, out: 7, channels: 1, outputs: 3 },
])('resampling is that of float64, and a single channel is repeated: %o', async ({ size, out, channels, outputs }) => {
  const g = gpu();
  const s = source(3, channels, size);
  const mean = [0.4, 0.5, 0.6, 0.3];
  const std = [0.2, 0.25, 0.3, 0.35];
  const set = GpuDataset.upload(g, { ...s, mean, std });
  const shape = { imageSize: out, channels: outputs };
  const stage = Stage.create(g, { from: set.shape, to: shape, batch: 3 });
  const images = g.buffers.allocate('images', 3 * outputs * out * out * 4);
  const labels = g.buffers.allocate('labels', 12);
  const start = g.upload('start', Uint32Array.of(0));
  await dispatch(g, (rec) => set.recordSequential(rec, { start, images, labels, batch: 3, shape, stage }));
  const one = channels * size * size;
  const want = [0, 1, 2].flatMap((i) => {
    const resized = resample(s.images.subarray(i * one, (i + 1) * one), channels, size, out);
    return Array.from({ length: outputs * out * out }, (_, k) => {
      const c = channels === 1 ? 0 : Math.floor(k / (out * out));
      return (resized[channels === 1 ? k % (out * out) : k]! / 255 - mean[c]!) / std[c]!;
    });
  });
  // Weights of coordinates up to 32 err by 2e-6, and so does their weighted mean relative to values up to 5.
  expect(maxError((await g.readFloats(images)).subarray(0, want.length), want)).toBeLessThan(2e-5);
});

test('a model that takes other channels, or a missing stage, is refused', () => {
  const g = gpu();
  const set = GpuDataset.upload(g, { ...source(3, 3, 4), ...RAW });
  const [images, labels, start] = ['images', 'labels', 'start'].map((name) => g.buffers.allocate(name, 1024));
  const to = { images: images!, labels: labels!, start: start!, batch: 1 };
  const record = (o: object) => () => set.recordSequential(new Recorder(g, 'none'), { ...to, ...o });
  expect(record({ shape: { imageSize: 4, channels: 1 } })).toThrow(/1 channels, and the data set's have 3/);
  expect(record({ shape: { imageSize: 8, channels: 3 } })).toThrow(/only through a stage/);
});

test('strong augmentation as a whole: warped, coloured, resized, erased with normal noise', async () => {
  const g = gpu();
  const s = source(40, 3, 16);
  const set = GpuDataset.upload(g, { ...s, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }, 16 * 16 * 3 * 11);
  const { draws, images } = await strong(g, set, { batch: 40, out: 24, channels: 3, position: 0 });
  const noise: number[] = [];
  const pixels = 3 * 24 * 24;
  draws.forEach((draw, b) => {
    const bytes = s.images.subarray(draw.sample * 768, (draw.sample + 1) * 768);
    const staged = colour(warp(bytes, 3, 16, draw), 3, 256, draw);
    const want = resample(staged, 3, 16, 24);
    let far = 0;
    for (let i = 0; i < pixels; i++) {
      const [x, y] = [i % 24, Math.floor(i / 24) % 24];
      const got = images[b * pixels + i]!;
      if (x >= draw.box[0]! && x < draw.box[2]! && y >= draw.box[1]! && y < draw.box[3]!) noise.push(got);
      else if (Math.abs(got - (want[i]! / 255 - 0.5) / 0.25) > 1e-3) far++;
    }
    // Posterize and solarize jump: a pixel that lies on a threshold up to rounding may fall on either side.
    expect(far).toBeLessThan(pixels / 50);
  });
  const mean = noise.reduce((a, v) => a + v, 0) / noise.length;
  const variance = noise.reduce((a, v) => a + (v - mean) ** 2, 0) / noise.length;
  expect(noise.length).toBeGreaterThan(500);
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(noise.length));
  expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / noise.length));
});

test.each([1, 2, 5])('mixup and cutmix of %i images with the flipped batch', async (batch) => {
  const g = gpu();
  const [channels, size] = [3, 5];
  const pixels = channels * size * size;
  const data = uniform(batch * pixels, 4);
  const box = [1, 0, 3, 5] as const;
  for (const kind of ['none', 'mixup', 'cutmix'] as const) {
    const images = g.upload('images', data);
    const state = stepState(g, { mix: { kind, weight: 0.3, box } });
    await dispatch(g, (rec) => {
      rec.dispatch(mixImages, {
        params: { batch, pixels, size },
        buffers: [state.view, images],
        grid: foldGrid(Math.ceil((batch * pixels) / 64)),
      });
    });
    const want = Array.from(data, (mine, i) => {
      const [b, e] = [Math.floor(i / pixels), i % pixels];
      const theirs = data[(batch - 1 - b) * pixels + e]!;
      const inside = e % size >= 1 && e % size < 3;
      return kind === 'mixup' ? 0.3 * mine + 0.7 * theirs : kind === 'cutmix' && inside ? theirs : mine;
    });
    expect(maxError((await g.readFloats(images)).subarray(0, want.length), want)).toBeLessThan(2e-7);
  }
});
