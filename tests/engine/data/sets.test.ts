import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type NamedBlob, type PublishedName } from '../../../app/engine/data';
import { detectSet, loadPublished, loadPublishedFiles } from '../../../app/engine/data/readers';
import {
  clearStorage,
  concat,
  failure,
  file,
  gzip,
  parquetOf,
  quiet,
  random,
  records,
  rowsOf,
  serve,
  sha256,
  tarEnd,
  tarEntry,
  text,
  type Bytes,
} from './fixtures';

beforeEach(clearStorage);
afterEach(clearStorage);

const load = (name: PublishedName, ...files: NamedBlob[]) => loadPublishedFiles(name, files, { ...quiet(), store: false });
const noise = (n: number, seed: number, below = 256): Bytes => {
  const next = random(seed);
  return Uint8Array.from({ length: n }, () => next() * below);
};

/** CIFAR-100 records: a coarse label, a fine label, three planes. */
function hundred(count: number, seed: number): { bytes: Bytes; images: Bytes; labels: Bytes } {
  const images = noise(count * 3072, seed);
  const labels = noise(count, seed + 1, 100);
  const parts = Array.from({ length: count }, (_, i) =>
    concat(Uint8Array.of((labels[i] as number) % 20, labels[i] as number), images.subarray(i * 3072, (i + 1) * 3072)),
  );
  return { bytes: concat(...parts), images, labels };
}

const be32 = (n: number) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
const idxImages = (images: Bytes, side = 28) =>
  concat(Uint8Array.of(0, 0, 8, 3), be32(images.length / side ** 2), be32(side), be32(side), images);
const idxLabels = (labels: Bytes) => concat(Uint8Array.of(0, 0, 8, 1), be32(labels.length), labels);

/** MNIST in small: pixels, labels and the four files. */
function digits(train: number, test: number) {
  const make = (count: number, seed: number) => ({ images: noise(count * 784, seed), labels: noise(count, seed + 1, 10) });
  const sets = { train: make(train, 1), test: make(test, 3) };
  const files = {
    'train-images-idx3-ubyte': idxImages(sets.train.images),
    'train-labels-idx1-ubyte': idxLabels(sets.train.labels),
    't10k-images-idx3-ubyte': idxImages(sets.test.images),
    't10k-labels-idx1-ubyte': idxLabels(sets.test.labels),
  };
  return { sets, files };
}
const loose = (files: Record<string, Bytes>) => Object.entries(files).map(([name, bytes]) => file(name, bytes));

/** The hub's schema with grey PNGs, and columns of other names. */
function rows(columns: { image: string; labels: Record<string, Bytes> }, pngs: Uint8Array[]): Bytes {
  const schema = [
    { name: 'root', num_children: 1 + Object.keys(columns.labels).length },
    { name: columns.image, num_children: 2, repetition_type: 'OPTIONAL' as const },
    { name: 'bytes', type: 'BYTE_ARRAY' as const, repetition_type: 'OPTIONAL' as const },
    { name: 'path', type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const, repetition_type: 'OPTIONAL' as const },
    ...Object.keys(columns.labels).map((name) => ({ name, type: 'INT64' as const, repetition_type: 'OPTIONAL' as const })),
  ];
  const columnData = [
    { name: columns.image, data: pngs.map((bytes) => ({ bytes, path: null })) },
    ...Object.entries(columns.labels).map(([name, labels]) => ({ name, data: Array.from(labels, BigInt) })),
  ];
  return new Uint8Array(parquetWriteBuffer({ schema, columnData }));
}
const pngs = (images: Bytes, side: number, channels: 1 | 3): Uint8Array[] => {
  const pixels = side * side * channels;
  return Array.from({ length: images.length / pixels }, (_, n) => {
    const planes = images.subarray(n * pixels, (n + 1) * pixels);
    const data = Uint8Array.from({ length: pixels }, (_, i) => planes[(i % channels) * side * side + Math.floor(i / channels)] as number);
    return new Uint8Array(encode({ width: side, height: side, channels, depth: 8, data }));
  });
};

describe('CIFAR-100', () => {
  const [train, test_] = [hundred(12, 1), hundred(5, 9)];
  const holds = (data: Awaited<ReturnType<typeof load>>) => {
    expect(data.config).toMatchObject({ name: 'cifar100', flip: true });
    expect(data.train.images).toEqual(train.images);
    expect(data.train.labels).toEqual(train.labels);
    expect(data.test.images).toEqual(test_.images);
    expect(data.test.labels).toEqual(test_.labels);
    expect(data.notices.map((n) => n.text)).toEqual([
      'These files hold 12 training and 5 test images; the full CIFAR-100 has 50000 and 10000.',
    ]);
  };

  test('the archive, its files and the hub’s schema give the fine labels', async () => {
    const dir = 'cifar-100-binary/';
    const archive = concat(
      tarEntry(`${dir}fine_label_names.txt`, text('apple\n')),
      tarEntry(`${dir}train.bin`, train.bytes),
      tarEntry(`${dir}test.bin`, test_.bytes),
      tarEnd,
    );
    holds(await load('cifar100', file('cifar-100-binary.tar.gz', await gzip(archive))));
    holds(await load('cifar100', file('train.bin', train.bytes), file('test.bin', test_.bytes)));
    holds(await load('cifar100', file('c.zip', zipSync({ 'train.bin': train.bytes, 'test.bin': test_.bytes }))));
    const hub = (set: typeof train) =>
      rows({ image: 'img', labels: { fine_label: set.labels, coarse_label: set.labels.map((x) => x % 20) } }, pngs(set.images, 32, 3));
    holds(await load('cifar100', file('train-00000-of-00001.parquet', hub(train)), file('test-00000-of-00001.parquet', hub(test_))));
  });

  test('CIFAR-10 in its place, and labels from 100 on, are named', async () => {
    const ten = await failure(load('cifar100', file('train.bin', records(6, 1)), file('test.bin', test_.bytes)));
    expect(ten.message).toMatch(/records of 3074 bytes \(coarse label, fine label.*this looks like CIFAR-10/);
    expect(ten.nextStep).toMatch(/CIFAR-100, binary version/);
    const bad = train.bytes.slice();
    bad[3074 * 2 + 1] = 100;
    expect((await failure(load('cifar100', file('train.bin', bad), file('test.bin', test_.bytes)))).message).toMatch(
      /0 to 99, found 100 in record 3/,
    );
    const other = parquetOf(rowsOf(records(3, 1)));
    expect((await failure(load('cifar100', file('train.parquet', other)))).message).toMatch(
      /img \{bytes, path\} and fine_label.*looks like CIFAR-10/,
    );
  });

  test('the site’s own folder is read, and the browser keeps the set apart from CIFAR-10', async () => {
    const name = `hundred${Date.now()}`;
    const canonical = (set: typeof train) =>
      concat(...Array.from(set.labels, (label, i) => concat(Uint8Array.of(label), set.images.subarray(i * 3072, (i + 1) * 3072))));
    const entry = async (which: string, set: typeof train) => {
      const bytes = canonical(set);
      await serve(`${name}/data/cifar100/${which}`, bytes);
      return { file: which, bytes: bytes.length, sha256: await sha256(bytes), count: set.labels.length };
    };
    const index = {
      format: 'q3r-data',
      version: 1,
      name: 'cifar100',
      train: await entry('train.bin', train),
      test: await entry('test.bin', test_),
    };
    await serve(`${name}/data/cifar100/cifar100.json`, JSON.stringify(index), { type: 'application/json' });
    const o = { ...quiet(), baseUrl: `/stream-test/${name}/`, hubBase: 'http://127.0.0.1:9/' };
    expect(await loadPublished('cifar100', o)).toMatchObject({ origin: 'site', cached: true });
    const again = await loadPublished('cifar100', o);
    expect(again.origin).toBe('cache');
    expect(again.train.labels).toEqual(train.labels);
    expect((await failure(loadPublished('cifar10', o))).kind).toBe('network');
  });
});

describe('MNIST', () => {
  const { sets, files } = digits(9, 4);
  const holds = (data: Awaited<ReturnType<typeof load>>) => {
    expect(data.config).toMatchObject({ name: 'mnist', channels: 1, imageSize: 28, flip: false });
    for (const split of ['train', 'test'] as const) {
      expect(data[split].images, split).toEqual(sets[split].images);
      expect(data[split].labels, split).toEqual(sets[split].labels);
    }
  };

  test('four files, plain or packed, alone or in a tar or zip, and the hub’s schema', async () => {
    holds(await load('mnist', ...loose(files)));
    const packed: Record<string, Bytes> = {};
    for (const [name, bytes] of Object.entries(files)) packed[`${name}.gz`] = await gzip(bytes);
    holds(await load('mnist', ...loose(packed)));
    const tar = (all: Record<string, Bytes>) =>
      concat(...Object.entries(all).map(([name, bytes]) => tarEntry(`mnist/${name}`, bytes)), tarEnd);
    holds(await load('mnist', file('mnist.tar', tar(files))));
    holds(await load('mnist', file('mnist.tar.gz', await gzip(tar(packed)))));
    holds(await load('mnist', file('mnist.zip', zipSync(packed))));
    holds(await load('mnist', file('mnist.zip', zipSync(files))));
    const hub = (split: 'train' | 'test') =>
      rows({ image: 'image', labels: { label: sets[split].labels } }, pngs(sets[split].images, 28, 1));
    holds(await load('mnist', file('train-00000-of-00001.parquet', hub('train')), file('test-00000-of-00001.parquet', hub('test'))));
  });

  test('what is missing, cut, of another size or kind is named', async () => {
    const wrong = async (changed: Record<string, Bytes | undefined>, message: RegExp) => {
      const given = Object.entries({ ...files, ...changed }).filter((entry): entry is [string, Bytes] => entry[1] !== undefined);
      const error = await failure(load('mnist', ...loose(Object.fromEntries(given))));
      expect(error.kind).toBe('data');
      expect(error.message).toMatch(message);
    };
    await wrong({ 't10k-labels-idx1-ubyte': undefined }, /t10k-images-idx3-ubyte: expected the labels of the test split/);
    await wrong({ 't10k-labels-idx1-ubyte': undefined, 't10k-images-idx3-ubyte': undefined }, /expected the test images too/);
    await wrong({ 'train-labels-idx1-ubyte': idxLabels(sets.train.labels.slice(1)) }, /expected 9 labels.*found 8/);
    await wrong({ 'train-labels-idx1-ubyte': idxLabels(sets.train.labels.with(3, 11)) }, /labels from 0 to 9, found 11 at place 4/);
    await wrong({ 'train-images-idx3-ubyte': files['train-images-idx3-ubyte'].slice(0, -5) }, /cut short/);
    await wrong({ 'train-images-idx3-ubyte': concat(files['train-images-idx3-ubyte'], Uint8Array.of(1)) }, /found more/);
    await wrong({ 'train-images-idx3-ubyte': idxImages(noise(9 * 1024, 5), 32) }, /images of 28 × 28 pixels, found images of 32 × 32/);
    const huge = concat(Uint8Array.of(0, 0, 8, 3), be32(0xffffffff), be32(28), be32(28));
    await wrong({ 'train-images-idx3-ubyte': huge }, /1 to 60000 entries, found 4294967295/);
    const colour = rows({ image: 'image', labels: { label: sets.train.labels } }, pngs(noise(9 * 784 * 3, 2), 28, 3));
    expect((await failure(load('mnist', file('train.parquet', colour), file('test.parquet', colour)))).message).toMatch(/grey PNG.*row 1/);
  });
});

test('files say themselves which set they are', async () => {
  const detect = (hint: string, ...files: NamedBlob[]) => detectSet(files, hint, quiet());
  const { files } = digits(2, 2);
  const hundredRows = rows({ image: 'img', labels: { fine_label: Uint8Array.of(1), coarse_label: Uint8Array.of(1) } }, [Uint8Array.of(1)]);
  const greyRows = rows({ image: 'image', labels: { label: Uint8Array.of(1) } }, [Uint8Array.of(1)]);
  expect(await detect('shapes', file('data_batch_1.bin', records(2, 1)))).toBe('cifar10');
  expect(await detect('mnist', file('train.bin', hundred(2, 1).bytes))).toBe('cifar100');
  expect(
    await detect('shapes', file('x.tar.gz', await gzip(concat(tarEntry('cifar-100-binary/train.bin', hundred(1, 1).bytes), tarEnd)))),
  ).toBe('cifar100');
  expect(await detect('shapes', file('x.tar', concat(tarEntry('cifar-10-batches-bin/data_batch_1.bin', records(1, 1)), tarEnd)))).toBe(
    'cifar10',
  );
  expect(await detect('cifar10', ...loose(files))).toBe('mnist');
  expect(await detect('cifar10', file('a.gz', await gzip(files['t10k-images-idx3-ubyte'])))).toBe('mnist');
  expect(await detect('shapes', file('a.zip', zipSync({ 'x/train-images-idx3-ubyte.gz': Uint8Array.of(1) })))).toBe('mnist');
  expect(await detect('shapes', file('a.zip', zipSync({ 'x/cats/1.jpg': Uint8Array.of(1), 'x/train.bin': Uint8Array.of(1) })))).toBe(
    'folder',
  );
  expect(await detect('cifar10', file('cats/1.jpg', noise(100, 1)))).toBe('folder');
  expect(await detect('cifar10', file('t.parquet', hundredRows))).toBe('cifar100');
  expect(await detect('shapes', file('t.parquet', greyRows))).toBe('mnist');
  expect(await detect('cifar10', file('t.parquet', greyRows))).toBe('cifar10');
  expect(await detect('cifar100', file('notes.txt', text('hello')))).toBe('cifar100');
  const refused = async (hint: string, name: string, bytes: Bytes) => (await failure(detect(hint, file(name, bytes)))).message;
  expect(await refused('shapes', 'notes.txt', text('hello'))).toMatch(/notes\.txt: expected a data set/);
  expect(await refused('shapes', 'data_batch_1', Uint8Array.of(0x80, 2, 0))).toMatch(/Python version/);
  for (const hint of ['shapes', 'folder']) {
    const cut = hundredRows.slice(0, -4);
    expect(await refused(hint, 't.parquet', cut)).toMatch(
      /^t\.parquet: expected a Parquet file, which ends with "PAR1", found .*cut short/,
    );
    expect(await refused(hint, 't.parquet', noise(64, 1))).toMatch(/expected a Parquet file, which begins with "PAR1", found no Parquet/);
    const other = rows({ image: 'picture', labels: { label: Uint8Array.of(1) } }, [Uint8Array.of(1)]);
    expect(await refused(hint, 't.parquet', other)).toMatch(/expected the columns img or image .* found .*picture\.bytes/);
  }
});
