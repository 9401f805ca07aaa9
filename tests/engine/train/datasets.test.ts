import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { DataError } from '../../../app/engine/data';
import { GpuDataset } from '../../../app/engine/ops/gather';
import { Datasets, resolveModel } from '../../../app/engine/train/datasets';
import { readSafetensors } from '../../../app/engine/train/safetensors';
import { Session } from '../../../app/engine/train/session';
import { ConfigError, DATASETS, fittingPatch, imageSizeOf, patchExperiment, withDataset } from '../../../app/protocol/experiment';
import { modelName, presetExperiment, PRESETS } from '../../../app/protocol/presets';
import { clearStorage } from '../data/fixtures';
import { useGpu } from '../../support/gpu';
import { makeRun, steps, tiny } from './support';

beforeEach(clearStorage);
afterAll(clearStorage);

/** A zip of one folder per class, with images of one size. */
function pictures(classes: number, side: number): { name: string; blob: Blob } {
  const files: Record<string, Uint8Array> = {};
  for (let c = 0; c < classes; c++)
    for (let i = 0; i < 4; i++) {
      const data = Uint8Array.from({ length: side * side * 3 }, (_, p) => (c * 80 + p * (i + 1)) & 255);
      files[`class${c}/${i}.png`] = new Uint8Array(encode({ width: side, height: side, channels: 3, depth: 8, data }));
    }
  return { name: `of${classes}.zip`, blob: new Blob([zipSync(files)]) };
}
/** Five black digits, as a zip of IDX files. */
function digits(): { name: string; blob: Blob } {
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 28, 0, 0, 0, 28, ...new Uint8Array(5 * 784));
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 5, ...new Uint8Array(5));
  const files = {
    'train-images-idx3-ubyte': images,
    'train-labels-idx1-ubyte': labels,
    't10k-images-idx3-ubyte': images,
    't10k-labels-idx1-ubyte': labels,
  };
  return { name: 'digits.zip', blob: new Blob([zipSync(files)]) };
}
const datasets = () =>
  new Datasets(
    () => undefined,
    () => '/nowhere/',
  );

describe('what follows the data set', () => {
  test('patch sizes: the nearest that divides, and every preset on every set', () => {
    expect([8, 4, 16, 3, 32, 5].map((wanted) => fittingPatch(wanted, 28))).toEqual([7, 4, 14, 4, 28, 4]);
    for (const dataset of DATASETS)
      for (const { key, label, whole } of PRESETS) {
        const experiment = presetExperiment(key, dataset);
        expect(imageSizeOf(experiment) % experiment.model.patchSize, `${key} on ${dataset}`).toBe(0);
        if (whole) continue;
        expect(modelName(experiment)).toBe(label.replace(/\d+$/, String(experiment.model.patchSize)));
      }
    expect(() => patchExperiment(tiny(), { dataset: 'mnist' })).toThrow(/image side of 28 pixels, and 8 does not; 7 does/);
    expect(withDataset(tiny(), 'mnist').model.patchSize).toBe(7);
    expect(withDataset(tiny({ model: { imageSize: 64 } }), 'mnist').model.patchSize).toBe(8);
  });

  test('the model takes classes, channels and size of the set as it is loaded', async () => {
    expect(resolveModel(withDataset(tiny(), 'mnist'))).toMatchObject({ imageSize: 28, inChannels: 1, numClasses: 10 });
    expect(resolveModel(tiny({ dataset: 'cifar100' })).numClasses).toBe(100);
    const sets = datasets();
    const mine = tiny({ dataset: 'folder' });
    expect(() => sets.resolve(mine)).toThrow(DataError);
    expect(() => sets.counts('folder')).toThrow(/drop a folder or a \.zip with one sub-folder of images per class/);
    const info = await sets.loadFiles([pictures(3, 70)], undefined, 'shapes');
    expect(info).toMatchObject({ name: 'folder', imageSize: 64, classCounts: [3, 3, 3], testCount: 3 });
    expect(sets.resolve(mine)).toMatchObject({ imageSize: 64, inChannels: 3, numClasses: 3 });
    expect(() => sets.check(tiny({ dataset: 'folder', model: { numClasses: 2 } }))).toThrow(ConfigError);
    // Another visit: the browser's storage tells before anything is read.
    const later = datasets();
    await later.recall();
    expect(later.resolve(mine)).toEqual(sets.resolve(mine));
    expect(later.counts('folder')).toMatchObject({ train: 9, test: 3 });
    expect(await later.load('folder')).toMatchObject({ origin: 'cache', classCounts: [3, 3, 3] });
  });
});

describe('on the GPU', () => {
  const device = useGpu();

  test.each([
    ['one channel, 28 pixels', 1, 28, 10],
    ['three hundred classes', 3, 32, 300],
  ])('a run learns from a set of %s', async (_, channels, imageSize, classes) => {
    const gpu = device();
    const count = 24;
    const upload = (label: string) =>
      GpuDataset.upload(gpu, {
        images: Uint8Array.from({ length: count * channels * imageSize ** 2 }, (__, i) => (i * 37) & 255),
        labels: Uint16Array.from({ length: count }, (__, i) => classes - 1 - i),
        count,
        channels,
        imageSize,
        mean: [0.5, 0.5, 0.5],
        std: [0.3, 0.3, 0.3],
        label,
      });
    const data = { train: upload('train'), test: upload('test') };
    const base = tiny({ model: { depth: 1, imageSize, inChannels: channels, numClasses: classes, patchSize: imageSize / 4 } });
    const run = await makeRun(gpu, base, data);
    const losses = await steps(run, 1, 3);
    // Untrained logits are near zero: the loss is that of guessing.
    expect(Math.abs(losses[0]! - Math.log(classes))).toBeLessThan(0.3);
    expect(losses.every(Number.isFinite)).toBe(true);
    await run.dispose();
    data.train.dispose();
    data.test.dispose();
  });
});

test('other images end the run that has the old ones, and the next run has their classes', async () => {
  const session = new Session(() => undefined);
  await session.init('/nowhere/');
  const experiment = tiny({ dataset: 'folder', model: { depth: 1 }, train: { batchSize: 4 } });
  expect(() => session.plan(experiment)).toThrow(/not here yet/);
  const head = async () => readSafetensors(await session.weights.exportWeights()).get('head.weight')?.shape;
  const load = (file: { name: string; blob: Blob }) => session.data.loadFiles({ files: [file], chosen: 'shapes' });
  await load(pictures(2, 40));
  await session.configure(experiment);
  expect((await session.step(2)).map((r) => r.step)).toEqual([1, 2]);
  expect(await head()).toEqual([2, 32]);
  const before = session.plan(experiment).parameters;
  await expect(load({ name: 'bad.zip', blob: new Blob(['PK\x03\x04']) })).rejects.toThrow(DataError);
  expect((await session.step(1)).map((r) => r.step)).toEqual([3]);
  await load(pictures(5, 70));
  expect((await session.step(1)).map((r) => r.step)).toEqual([1]);
  expect(await head()).toEqual([5, 32]);
  // Three more classes, and 64 − 16 more places of patches of 8 pixels.
  expect(session.plan(experiment).parameters - before).toBe(3 * 33 + 48 * 32);
  const { images, labels } = await session.data.preview({ name: 'folder', count: 3, draw: 0, experiment });
  expect(images.map((image) => image.length)).toEqual([64 * 64 * 4, 64 * 64 * 4, 64 * 64 * 4]);
  expect(labels.every((label) => label < 5)).toBe(true);
  // A look at another set leaves the run alone.
  const held = session.memory().liveBytes;
  expect(await load(digits())).toMatchObject({ name: 'mnist', classCounts: [5, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
  expect(await session.data.preview({ name: 'mnist', count: 3, draw: 0, experiment })).toMatchObject({ width: 28, labels: [0, 0, 0] });
  expect(session.memory().liveBytes).toBe(held);
  expect((await session.step(1)).map((r) => r.step)).toEqual([2]);
  await session.dispose();
  expect(session.memory().liveBytes).toBeLessThan(held);
});
