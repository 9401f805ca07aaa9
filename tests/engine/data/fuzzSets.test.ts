import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataError } from '../../../app/engine/data';
import { loadFolderFiles } from '../../../app/engine/data/readers';
import { Datasets } from '../../../app/engine/train/datasets';
import { clearStorage, file, gzip, mutate, quiet, random, text, type Bytes } from './fixtures';

beforeEach(clearStorage);
afterEach(clearStorage);

const image = (seed: number): Bytes => {
  const next = random(seed);
  return new Uint8Array(
    encode({ width: 36, height: 34, channels: 3, depth: 8, data: Uint8Array.from({ length: 36 * 34 * 3 }, () => next() * 255) }),
  );
};

test('hundreds of damaged images: those that the browser reads are used, the others are named', async () => {
  const next = random(11);
  const files = Array.from({ length: 400 }, (_, i) => {
    const good = image(i % 5);
    return file(`set/${i % 2 ? 'odd' : 'even'}/${i}.png`, i < 20 ? good : mutate(good, next, i % 3 ? 0 : 33, image(9)));
  });
  const data = await loadFolderFiles(files, { ...quiet(), store: false });
  const { train, test: held, config, notices } = data;
  const kept = train.count + held.count;
  expect(kept).toBeGreaterThanOrEqual(20);
  expect(notices.at(-1)?.text).toMatch(new RegExp(`^${400 - kept} of 400 files could not be read`));
  for (const split of [train, held]) {
    expect(split.images.length).toBe(split.count * 3 * config.imageSize ** 2);
    expect(split.labels.length).toBe(split.count);
  }
});

test('whatever is dropped, the set that was loaded stays, and the next good file is taken', async () => {
  const datasets = new Datasets(
    () => undefined,
    () => '/nowhere/',
  );
  const folder = zipSync({ 'a/1.png': image(1), 'a/2.png': image(2), 'b/1.png': image(3), 'b/2.png': image(4) });
  const digits = (count: number) => {
    const head = (kind: number) => Uint8Array.of(0, 0, 8, kind, 0, 0, 0, count);
    const images = new Uint8Array([...head(3), 0, 0, 0, 28, 0, 0, 0, 28, ...new Uint8Array(count * 784)]);
    const labels = new Uint8Array([...head(1), ...new Uint8Array(count)]);
    return {
      'train-images-idx3-ubyte': images,
      'train-labels-idx1-ubyte': labels,
      't10k-images-idx3-ubyte': images,
      't10k-labels-idx1-ubyte': labels,
    };
  };
  const mnist = zipSync(digits(3));
  const before = await datasets.loadFiles([file('mine.zip', folder)], undefined, 'shapes');
  const first = await datasets.loadFiles([file('mnist.zip', mnist)], undefined, 'shapes');
  expect([before.name, first.name]).toEqual(['folder', 'mnist']);
  const next = random(12);
  const sources: [string, Bytes][] = [
    ['mine.zip', folder],
    ['mnist.zip', mnist],
    ['mnist.tar.gz', await gzip(text('no archive'))],
    ['train-images-idx3-ubyte', digits(2)['train-images-idx3-ubyte']],
  ];
  let refused = 0;
  for (let i = 0; i < 160; i++) {
    const [name, good] = sources[i % sources.length] as [string, Bytes];
    const [mine, numbers] = [datasets.counts('folder'), datasets.counts('mnist')];
    try {
      await datasets.loadFiles([file(name, mutate(good, next, 0, folder))], undefined, 'cifar10');
    } catch (error) {
      refused++;
      expect(error, `${name}, mutation ${i}`).toBeInstanceOf(DataError);
      expect((error as DataError).message, `${name}, mutation ${i}`).toMatch(/^(?!.*(undefined|NaN|\[object)).{10}/s);
      // Nothing of a refused load is in use.
      expect(datasets.counts('folder')).toEqual(mine);
      expect(datasets.counts('mnist')).toEqual(numbers);
    }
  }
  expect(refused).toBeGreaterThan(80);
  expect(await datasets.loadFiles([file('mine.zip', folder)], undefined, 'shapes')).toMatchObject({
    trainCount: 2,
    testCount: 2,
    classes: ['a', 'b'],
  });
});
