import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadFolder, recallFolder, type NamedBlob } from '../../../app/engine/data';
import { loadFolderFiles } from '../../../app/engine/data/readers';
import { arrange, type ImageSource } from '../../../app/engine/data/folder/arrange';
import { chooseSide, dimensionsOf } from '../../../app/engine/data/folder/size';
import { openZip, unzip } from '../../../app/engine/data/formats/zip';
import { clearStorage, concat, failure, file, quiet, text, type Bytes } from './fixtures';

beforeEach(clearStorage);
afterEach(clearStorage);

const load = (...files: NamedBlob[]) => loadFolderFiles(files, { ...quiet(), store: false });
/** A PNG of one colour, with a white frame of one pixel on the longer ends. */
function png(width: number, height: number, [r, g, b]: readonly number[]): Bytes {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const frame = width > height ? x === 0 || x === width - 1 : height > width && (y === 0 || y === height - 1);
    data.set(frame ? [255, 255, 255] : [r!, g!, b!], i * 3);
  }
  return new Uint8Array(encode({ width, height, channels: 3, depth: 8, data }));
}
const RED = [220, 20, 30];
const BLUE = [10, 40, 200];
const some = (folder: string, n: number, colour: readonly number[], size: [number, number] = [40, 36]) =>
  Array.from({ length: n }, (_, i) => file(`${folder}/${i}.png`, png(...size, colour)));
const sources = (...paths: string[]): ImageSource[] => paths.map((path) => ({ path, size: 1, open: () => Promise.resolve(new Blob()) }));
const many = (folder: string, n: number) => Array.from({ length: n }, (_, i) => `${folder}/${i}.jpg`);

describe('folders', () => {
  const sorted = (...paths: string[]) => {
    const { classes, train, test: held, remarks } = arrange('x', sources(...paths));
    const names = (list: typeof train) => list.map(({ source, label }) => `${source.path}=${classes[label]}`).sort();
    return { classes, train: names(train), test: names(held), remarks };
  };

  test('classes are the folders; 15 % of each is for testing, the same whatever the order', () => {
    const paths = [...many('set/dog', 20), ...many('set/cat', 40), 'set/dog/deep/x.jpg'];
    const a = sorted(...paths);
    expect(a.classes).toEqual(['cat', 'dog']);
    expect([a.train.length, a.test.length]).toEqual([34 + 18, 6 + 3]);
    expect(sorted(...paths.toReversed())).toEqual(a);
    const orders = [paths, paths.toReversed()].map((list) => arrange('x', sources(...list)).train.map(({ source }) => source.path));
    expect(orders[0]).toEqual(orders[1]);
    // Not class by class: validation looks at the first images.
    expect(orders[0]).not.toEqual(orders[0]!.toSorted());
  });

  test('train and test folders are splits where they hold class folders', () => {
    for (const name of ['test', 'val', 'Validation', 'valid']) {
      const { classes, train, test: held } = sorted(...many('s/train/a', 3), ...many('s/train/b', 2), ...many(`s/${name}/b`, 4));
      expect(classes).toEqual(['a', 'b']);
      expect([train.length, held.length]).toEqual([5, 4]);
      expect(held.every((image) => image.endsWith('=b'))).toBe(true);
    }
    const vehicles = sorted(...many('train', 4), ...many('bus', 4));
    expect(vehicles.classes).toEqual(['bus', 'train']);
    const only = sorted(...many('train/a', 10), ...many('train/b', 10));
    expect([only.train.length, only.test.length]).toEqual([16, 4]);
    const odd = sorted(
      ...many('train/a', 3),
      ...many('train/b', 3),
      ...many('test/c', 2),
      ...many('test/a', 2),
      ...many('more/a', 1),
      'x.jpg',
    );
    expect(odd.test).toHaveLength(2);
    expect(odd.remarks).toEqual([
      '2 images outside the train and test folders were left out.',
      '2 images of classes that have no training images were left out.',
    ]);
  });

  test('hidden files, other files and names that are numbers', () => {
    const noise = ['.DS_Store', '__MACOSX/a/._1.jpg', 'a/.hidden.jpg', 'a/Thumbs.db', 'a/labels.csv', '.git/x.jpg'];
    const { classes, train, test: held } = sorted(...many('10', 4), ...many('9', 4), ...noise);
    expect(classes).toEqual(['9', '10']);
    expect(train.length + held.length).toBe(8);
  });

  test('what cannot be a set is refused by name', () => {
    const wrong = (message: RegExp, ...paths: string[]) => expect(() => arrange('flowers.zip', sources(...paths))).toThrow(message);
    wrong(/flowers\.zip: expected images.*found nothing/);
    wrong(/found no images/, 'a/readme.txt');
    wrong(/at least two sub-folders.*found 2 images without a folder/, '1.jpg', '2.jpg');
    wrong(/one folder with images, "cat"/, ...many('set/cat', 3));
    wrong(/at most 1000 classes, found 1001/, ...Array.from({ length: 1001 }, (_, i) => `c${i}/1.jpg`));
  });
});

describe('sizes', () => {
  test('the side follows the images and the memory', () => {
    expect(chooseSide(100, [20, 24])).toBe(32);
    expect(chooseSide(100, [64, 64, 64])).toBe(64);
    expect(chooseSide(100, [100, 90, 500])).toBe(96);
    expect(chooseSide(100, [4000])).toBe(224);
    expect(chooseSide(10_000, [4000])).toBe(96);
    expect(chooseSide(100_000, [4000])).toBe(32);
    expect(chooseSide(1_000_000, [4000])).toBeNull();
    expect(chooseSide(10, [])).toBe(32);
  });

  test('headers of the browser’s own encoders and of PNG give the size', async () => {
    expect(dimensionsOf(png(123, 45, RED))).toEqual({ width: 123, height: 45 });
    const canvas = new OffscreenCanvas(123, 45);
    canvas.getContext('2d')!.fillRect(3, 3, 50, 20);
    for (const type of ['image/jpeg', 'image/webp', 'image/png']) {
      const blob = await canvas.convertToBlob({ type });
      expect(blob.type).toBe(type);
      expect(dimensionsOf(new Uint8Array(await blob.arrayBuffer())), type).toEqual({ width: 123, height: 45 });
    }
    expect(dimensionsOf(text('GIF89a\x7b\0\x2d\0'.padEnd(40, '\0')))).toEqual({ width: 123, height: 45 });
    expect(dimensionsOf(new Uint8Array(40))).toBeNull();
    expect(dimensionsOf(new Uint8Array(3))).toBeNull();
  });
});

describe('a set of images', () => {
  test('colours, labels, statistics and order survive; the long side is cut', async () => {
    const data = await load(...some('set/red', 7, RED), ...some('set/blue', 7, BLUE, [36, 90]));
    const { config, train, test: held, notices } = data;
    expect(config).toMatchObject({ name: 'folder', classes: ['blue', 'red'], imageSize: 32, channels: 3, trainCount: 12, testCount: 2 });
    expect(notices).toEqual([]);
    expect(train.images.length).toBe(12 * 3 * 1024);
    const colours = [BLUE, RED];
    for (const split of [train, held])
      for (let n = 0; n < split.count; n++)
        for (let c = 0; c < 3; c++) {
          const plane = split.images.subarray((n * 3 + c) * 1024, (n * 3 + c + 1) * 1024);
          // The frame of the longer side lies outside the square; scaling may round by one.
          expect(Math.max(...plane.map((x) => Math.abs(x - colours[split.labels[n]!]![c]!)))).toBeLessThanOrEqual(1);
        }
    for (let c = 0; c < 3; c++) {
      expect(config.mean[c]).toBeCloseTo((RED[c]! + BLUE[c]!) / 510, 2);
      expect(config.std[c]).toBeCloseTo(Math.abs(RED[c]! - BLUE[c]!) / 510, 2);
    }
  });

  test('a zip gives the same set as the files in it, and transparent images become white', async () => {
    const files = [...some('s/red', 4, RED), ...some('s/blue', 4, BLUE)];
    const packed: Record<string, Uint8Array> = {};
    for (const { name, blob } of files) packed[name] = new Uint8Array(await blob.arrayBuffer());
    const [a, b] = [await load(...files), await load(file('s.zip', zipSync(packed)))];
    expect(b.train.images).toEqual(a.train.images);
    expect(b.train.labels).toEqual(a.train.labels);
    const clear = new Uint8Array(encode({ width: 40, height: 40, channels: 4, depth: 8, data: new Uint8Array(6400) }));
    const white = await load(...some('s/red', 4, RED), ...[0, 1, 2, 3].map((i) => file(`s/white/${i}.png`, clear)));
    expect(white.config.mean[1]).toBeCloseTo((20 + 255) / 510, 2);
  });

  test('files that are no images are counted and named, unless all are', async () => {
    const bad = Array.from({ length: 7 }, (_, i) => file(`s/red/bad${i}.jpg`, text('nothing of the kind')));
    const data = await load(...some('s/red', 6, RED), ...some('s/blue', 6, BLUE), ...bad);
    expect(data.train.count + data.test.count).toBe(12);
    expect(data.notices).toHaveLength(1);
    expect(data.notices[0]).toMatchObject({
      kind: 'skipped',
      text: expect.stringMatching(/^7 of 19 files could not be read.*red\/bad\d\.jpg.* and 2 more\.$/) as string,
    });
    const error = await failure(load(...bad, file('s/blue/1.jpg', text('no')), file('s/blue/2.jpg', text('no'))));
    expect(error.message).toMatch(/the browser can read, found none: 9 of 9 files could not be read/);
  });

  test('a giant is refused by its header, before it is decoded', async () => {
    const giant = png(2, 2, RED);
    new DataView(giant.buffer).setUint32(16, 60_000);
    new DataView(giant.buffer).setUint32(20, 60_000);
    const giants = ['red/1', 'red/2', 'blue/1', 'blue/2'].map((name) => file(`s/${name}.png`, giant));
    expect((await failure(load(...giants))).found).toMatch(/4 of 4 files could not be read \(it has 60000 × 60000 pixels\)/);
  });

  test('the browser keeps it, with its classes and size, and a damaged description is not believed', async () => {
    expect(await recallFolder()).toBeNull();
    expect((await failure(loadFolder(quiet()))).message).toMatch(/not here yet: drop a folder or a \.zip/);
    const stored = await loadFolderFiles([...some('s/red', 5, RED, [70, 70]), ...some('s/blue', 5, BLUE, [80, 70])], quiet());
    expect(stored).toMatchObject({ origin: 'files', cached: true });
    expect(await recallFolder()).toEqual(stored.config);
    const again = await loadFolder(quiet());
    expect(again).toMatchObject({ origin: 'cache', config: stored.config });
    expect(again.train.images).toEqual(stored.train.images);
    expect(again.train.labels).toEqual(stored.train.labels);

    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('q3r-data');
    const handle = await (await root.getDirectoryHandle('folder')).getFileHandle('meta.json');
    const good = await (await handle.getFile()).text();
    for (const [from, to] of [
      ['"imageSize":64', '"imageSize":63'],
      ['"classes":["blue","red"]', '"classes":["blue"]'],
      ['"trainCount":8', '"trainCount":1e12'],
    ] as const) {
      expect(good).toContain(from);
      const out = await handle.createWritable();
      await out.write(good.replace(from, to));
      await out.close();
      expect(await recallFolder(), to).toBeNull();
    }
    await failure(loadFolder(quiet()));
  });

  test('a cancel is heard while images are decoded', async () => {
    const controller = new AbortController();
    const loading = loadFolderFiles([...some('s/red', 60, RED), ...some('s/blue', 60, BLUE)], {
      signal: controller.signal,
      onProgress: (p) => {
        if (p.stage === 'Decoding images' && p.images > 0) controller.abort();
      },
    });
    expect((await failure(loading)).kind).toBe('cancelled');
    expect(await recallFolder()).toBeNull();
  });
});

describe('zip archives', () => {
  const limits = { entries: 100, size: 1 << 20, total: 1 << 21 };
  const open = (zip: Uint8Array, o = limits) => openZip(new Blob([zip as Bytes]), o);
  const message = async (promise: Promise<unknown>) =>
    promise.then(
      () => 'it opened',
      (error: unknown) => String(error),
    );

  test('stored and deflated files come out as they went in, behind a comment and a prefix', async () => {
    const content = { 'a/1.txt': text('hello'.repeat(500)), 'ü/2.bin': new Uint8Array(0) };
    for (const level of [0, 9] as const) {
      const zip = zipSync(content, { level, comment: '' });
      const blob = new Blob([zip]);
      const entries = await openZip(blob, limits);
      expect(entries.map((e) => e.name)).toEqual(Object.keys(content));
      for (const entry of entries) expect(await unzip(blob, entry, 1 << 20)).toEqual(content[entry.name as keyof typeof content]);
    }
  });

  test('bombs, tricks and too many entries are refused before anything is unpacked', async () => {
    const names = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`${i}.txt`, text('x')]));
    expect(await message(open(zipSync(names(101))))).toMatch(/at most 100 files in the archive, found 101/);
    for (const name of ['../x.txt', '/etc/passwd', 'a/../../b', 'C:/x', 'a\\..\\b'])
      expect(await message(open(zipSync({ [name]: text('x') }))), name).toMatch(/names inside the archive/);
    const bomb = zipSync({ 'a.bin': new Uint8Array(3 << 20) });
    expect(bomb.length).toBeLessThan(10_000);
    expect(await message(open(bomb))).toMatch(/at most 2097152 bytes/);
    const blob = new Blob([zipSync({ 'a.bin': new Uint8Array(1.5 * 2 ** 20) })]);
    const [entry] = await openZip(blob, limits);
    expect(await message(unzip(blob, entry!, limits.size))).toMatch(/files of at most 1048576 bytes/);
    // A directory that lies about the size: more comes out than it says, or could.
    expect(await message(unzip(blob, { ...entry!, size: 1000 }, limits.size))).toMatch(/1000 bytes in a\.bin/);
    expect(await message(unzip(blob, { ...entry!, size: limits.size, packed: 10 }, limits.size))).toMatch(/plausible size/);
    expect(await message(unzip(blob, { ...entry!, crc: 1, size: 1.5 * 2 ** 20 }, 2 ** 21))).toMatch(/CRC 1 of a\.bin/);
    expect(await message(open(concat(zipSync(names(2)).slice(0, -10))))).toMatch(/directory at the end/);
  });

  test('a set whose archive unpacks to far more than its size is refused', async () => {
    const zip = zipSync({ 'a/1.bmp': new Uint8Array(100), 'b/1.bmp': new Uint8Array(100) });
    const view = new DataView(zip.buffer, zip.byteOffset);
    // Both entries of the directory say 40 MB.
    for (let at = 0; at < zip.length - 46; at++) if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 40 << 20, true);
    expect((await failure(load(file('bomb.zip', zip)))).message).toMatch(
      /bomb\.zip: expected at most \d+ bytes in the archive, found more/,
    );
  });
});
