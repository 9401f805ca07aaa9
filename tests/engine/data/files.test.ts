import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LoadedDataset, type NamedBlob } from '../../../app/engine/data';
import { loadPublished, loadPublishedFiles } from '../../../app/engine/data/readers';
import {
  clearStorage,
  concat,
  drawnBatches,
  failure,
  file,
  gzip,
  hasReal,
  looseFiles,
  parquetOf,
  pngOf,
  quiet,
  realFile,
  records,
  rowsOf,
  splitOfRecords,
  tarEnd,
  tarEntry,
  tarHeader,
  tarOf,
  text,
  TRAIN_NAMES,
  type Batches,
  type Bytes,
} from './fixtures';

beforeEach(clearStorage);
afterEach(clearStorage);

const load = (...files: NamedBlob[]) => loadPublishedFiles('cifar10', files, { ...quiet(), store: false });

/** Compares without Vitest's element-wise diff, which takes minutes on megabytes. */
function same(data: LoadedDataset, train: Bytes, test: Bytes): void {
  const wanted = { train: splitOfRecords(train), test: splitOfRecords(test) };
  for (const split of ['train', 'test'] as const) {
    expect(data[split].count).toBe(wanted[split].count);
    for (const part of ['images', 'labels'] as const) {
      const a = data[split][part];
      const b = wanted[split][part];
      expect(a.length, `${split} ${part}`).toBe(b.length);
      const differs = a.findIndex((x, i) => x !== b[i]);
      expect(differs, `first difference in ${split} ${part}`).toBe(-1);
    }
  }
}

describe.runIf(hasReal)('real CIFAR-10 samples', () => {
  test('the archive, its loose batches and the Parquet files hold the same pixels', async () => {
    const archive = await realFile('cifar-10-binary-6k.tar.gz');
    const whole = await load(file('cifar-10-binary-6k.tar.gz', archive));
    expect([whole.train.count, whole.test.count]).toEqual([5000, 1000]);
    expect(whole).toMatchObject({ origin: 'files', bytes: archive.length, cached: false, notices: [{ kind: 'incomplete' }] });
    expect(whole.config.name).toBe('cifar10');
    // Labels of the first ten images of data_batch_1 and of test_batch, as published.
    expect([...whole.train.labels.subarray(0, 10)]).toEqual([6, 9, 9, 4, 1, 1, 2, 7, 8, 3]);
    expect([...whole.test.labels.subarray(0, 10)]).toEqual([3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);

    const hub = await load(
      file('train.parquet', await realFile('hf-train-1000.parquet')),
      file('test.parquet', await realFile('hf-test-400.parquet')),
    );
    expect([hub.train.count, hub.test.count]).toEqual([1000, 400]);
    for (const split of ['train', 'test'] as const) {
      const { images, labels, count } = hub[split];
      expect(labels).toEqual(whole[split].labels.slice(0, count));
      expect(images.findIndex((x, i) => x !== whole[split].images[i])).toBe(-1);
    }
  });
});

describe('every way in gives the same data set', () => {
  let b: Batches;
  let train: Bytes;
  beforeAll(() => {
    b = drawnBatches(20);
    train = concat(...b.train);
  });

  test('tar.gz, tar, loose batches in any order', async () => {
    same(await load(file('cifar-10-binary.tar.gz', await gzip(tarOf(b)))), train, b.test);
    same(await load(file('cifar.tar', tarOf(b))), train, b.test);
    same(await load(...looseFiles(b).reverse()), train, b.test);
    same(
      await load(file('folder/train.bin', train), file('folder\\test.bin', b.test), file('batches.meta.txt', text('airplane'))),
      train,
      b.test,
    );
  });

  test('Parquet files, told apart by name or by size, and mixes', async () => {
    const trainRows = parquetOf(rowsOf(train), { rowGroupSize: 30 });
    const testRows = parquetOf(rowsOf(b.test));
    same(await load(file('test-00000-of-00001.parquet', testRows), file('train-00000-of-00001.parquet', trainRows)), train, b.test);
    same(await load(file('b.parquet', testRows), file('a.parquet', trainRows)), train, b.test);
    same(await load(file('a.parquet', testRows), ...looseFiles(b).slice(0, 5)), train, b.test);
    same(await load(file('test_batch.bin', b.test), file('0000.parquet', trainRows)), train, b.test);
    const tar = concat(...b.train.map((x, i) => tarEntry(TRAIN_NAMES[i] as string, x)), tarEnd);
    same(await load(file('x.tgz', await gzip(tar)), file('test_batch.bin', b.test)), train, b.test);
    const halves = [train.slice(0, 60 * 3073), train.slice(60 * 3073)].map((x, i) =>
      file(`train-0000${i}-of-00002.parquet`, parquetOf(rowsOf(x))),
    );
    same(await load(...halves, file('test.parquet', testRows)), train, b.test);
  });

  test('progress counts bytes and images, and a subset is said to be one', async () => {
    const stages: string[] = [];
    let last = { bytes: 0, images: 0, totalBytes: 0 };
    const archive = await gzip(tarOf(b));
    const data = await loadPublishedFiles('cifar10', [file('c.tar.gz', archive)], {
      signal: new AbortController().signal,
      onProgress: (p) => {
        stages.push(p.stage);
        last = p;
      },
    });
    expect(last.images).toBe(120);
    expect(stages.some((s) => s.includes('Storing'))).toBe(true);
    expect(data.cached).toBe(true);
    expect(data.notices.map((n) => n.kind)).toEqual(['incomplete']);
  });
});

describe('files that are refused', () => {
  const ten = records(10, 1);
  const test10 = file('test_batch.bin', records(10, 2));
  const wrong = async (files: NamedBlob[], name: string, expected: RegExp, found: RegExp) => {
    const error = await failure(load(...files));
    expect(error.kind).toBe('data');
    expect(error.file).toBe(name);
    expect(error.expected).toMatch(expected);
    expect(error.found).toMatch(found);
    expect(error.message).toContain(name);
    expect(error.message).toContain(error.expected);
    expect(error.message).toContain(error.found);
    expect(error.nextStep).toMatch(/\w.*\.$/);
  };

  test('foreign files, whatever their name', async () => {
    const foreign: [string, Bytes, RegExp][] = [
      ['data_batch_1.bin', concat(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), new Uint8Array(3069)), /JPEG/],
      ['data_batch_1.bin', text('<!DOCTYPE html><title>404</title>'), /web page/],
      ['cifar-10-binary.tar.gz', text('<html><body>Login</body></html>'), /web page/],
      ['data_batch_1', concat(Uint8Array.of(0x80, 2, 0x7d), new Uint8Array(100)), /Python version/],
      ['data_batch_1.mat', text('MATLAB 5.0 MAT-file'), /MATLAB version/],
      ['train.parquet', text('nothing of the kind'), /no Parquet/],
      ['cifar.tar.gz', new Uint8Array(0), /empty file/],
      ['cifar.tar', new Uint8Array(600).fill(0x41), /no tar/],
      ['notes.txt', text('hello'), /another kind/],
      ['empty.parquet', new Uint8Array(0), /empty file/],
    ];
    for (const [name, bytes, found] of foreign) await wrong([file(name, bytes), test10], name, /CIFAR-10 file/, found);
  });

  test('a zip archive without a directory, or without batches', async () => {
    const zip = concat(Uint8Array.of(0x50, 0x4b, 3, 4), new Uint8Array(100));
    await wrong([file('cifar.zip', zip), test10], 'cifar.zip', /zip archive with its directory/, /none/);
    await wrong([file('c.zip', zipSync({ 'a/photo.jpg': ten })), test10], 'c.zip', /data_batch_1/, /photo\.jpg/);
  });

  /** Black aeroplanes, without the memory they would take. */
  const zeros = (name: string, count: number): NamedBlob => {
    const some = new Blob([new Uint8Array(3073 * 100)]);
    return { name, blob: new Blob([...Array.from({ length: Math.floor(count / 100) }, () => some), some.slice(0, (count % 100) * 3073)]) };
  };

  test('batches of the wrong size, with wrong labels, or with another name', async () => {
    const name = 'data_batch_1.bin';
    await wrong([file(name, new Uint8Array(0)), test10], name, /3073 bytes/, /empty/);
    await wrong([file(name, ten.slice(0, -1)), test10], name, /3073 bytes/, /30729 bytes: 9 records and 3072/);
    await wrong([file('train.bin', new Uint8Array(3074 * 5)), test10], 'train.bin', /3073/, /CIFAR-100/);
    const label = ten.slice();
    label[3073 * 4] = 10;
    await wrong([file(name, label), test10], name, /0 to 9/, /10 in record 5 of 10/);
    await wrong([file('batch.bin', ten), test10], 'batch.bin', /data_batch_1/, /batch\.bin/);
    await wrong([zeros(name, 50_001), test10], name, /at most 50000/, /50001/);
    await wrong([file(name, ten), zeros('test.bin', 10_001)], 'test.bin', /at most 10000/, /10001/);
    await wrong([file(name, ten), file(`folder/${name}`, ten), test10], name, /once/, /twice/);
    await wrong([zeros(name, 30_000), zeros('data_batch_2.bin', 30_000), test10], 'data_batch_2.bin', /at most 50000/, /60000/);
  });

  test('a split that is missing is named', async () => {
    await wrong([file('data_batch_1.bin', ten)], 'test_batch.bin', /test_batch\.bin/, /only data_batch_1\.bin/);
    await wrong([test10], 'data_batch_1.bin', /data_batch_5\.bin/, /only test_batch\.bin/);
    await wrong([file('x.parquet', parquetOf(rowsOf(ten)))], 'test_batch.bin', /test images/, /only x\.parquet/);
    await wrong([], 'CIFAR-10', /at least one/, /none/);
    expect((await failure(load(file('readme.html', text('<html>'))))).message).toMatch(/no images/);
  });

  test('archives that are cut, damaged, hostile or of another version', async () => {
    const b = drawnBatches(4);
    const name = 'cifar-10-binary.tar.gz';
    const good = await gzip(tarOf(b));
    for (const part of [0.02, 0.3, 0.6, 0.9, 0.999]) {
      await wrong([file(name, good.slice(0, Math.floor(good.length * part)))], name, /gzip/, /cut short|damaged/);
    }
    const crc = good.slice();
    crc[crc.length - 6] = (crc[crc.length - 6] as number) ^ 1;
    await wrong([file(name, crc)], name, /gzip/, /damaged/);
    const inside = good.slice();
    inside.fill(0x55, good.length >> 1, (good.length >> 1) + 40);
    const damaged = await failure(load(file(name, inside)));
    expect(damaged.kind).toBe('data');
    expect(damaged.file).toContain(name);
    await wrong([file(name, await gzip(text('just text')))], name, /tar/, /few bytes/);
    await wrong([file(name, await gzip(new Uint8Array(2048).fill(65)))], name, /tar header/, /other bytes/);
    const pack = (...parts: Bytes[]) => gzip(concat(...parts, tarEnd));
    await wrong([file(name, await pack(tarEntry('../../data_batch_1.bin', ten)))], name, /inside the archive/, /\.\.\//);
    await wrong([file(name, await pack(tarHeader('data_batch_1.bin', '77777777777\0')))], name, /at most/, /8589934591/);
    await wrong(
      [file(name, await pack(tarHeader('data_batch_1.bin', 3073 * 50_001)))],
      `data_batch_1.bin in ${name}`,
      /at most 50000/,
      /50001/,
    );
    await wrong(
      [file(name, await pack(tarHeader('data_batch_1.bin', 3073 * 10)))],
      name,
      /complete archive/,
      /before the end of data_batch_1/,
    );
    await wrong([file(name, await pack(tarEntry('cifar-10-batches-py/data_batch_1', ten)))], name, /binary version/, /Python/);
    await wrong(
      [file(name, await pack(tarEntry('cifar-100-binary/train.bin', new Uint8Array(3074 * 3))))],
      `train.bin in ${name}`,
      /3073/,
      /CIFAR-100/,
    );
    await wrong([file(name, await pack(tarEntry('data_batch_1.bin', new Uint8Array(0))))], `data_batch_1.bin in ${name}`, /3073/, /empty/);
    await wrong([file(name, await pack(tarEntry('photo.jpg', ten)))], name, /data_batch_1/, /photo\.jpg/);
    await wrong([file(name, await pack(tarEntry('test.bin', ten), tarEntry('a/test.bin', ten)))], `test.bin in ${name}`, /once/, /twice/);
    await wrong([file('a.tar', tarOf(b).slice(0, 27_000))], 'a.tar', /complete archive/, /652 bytes before the end of .*data_batch_3/);
    for (const end of [27_657, 28_160, 28_161])
      await wrong([file('a.tar', tarOf(b).slice(0, end))], 'a.tar', /complete archive/, /ends after/);
    // A small file that unpacks to far more than the data set is not unpacked to its end.
    const zero = tarEntry('zeros', new Uint8Array(32 << 20));
    const bomb = new Blob(Array.from({ length: 9 }, () => zero)).stream().pipeThrough(new CompressionStream('gzip'));
    const error = await failure(load({ name, blob: await new Response(bomb).blob() }));
    expect(error).toMatchObject({ file: name, expected: expect.stringMatching(/^at most 25\d{7} bytes/) as string, found: 'more' });
  });

  test('Parquet files with another schema, other images or damage', async () => {
    const name = 'train.parquet';
    const rows = rowsOf(ten);
    const test = file('test.parquet', parquetOf(rowsOf(records(3, 4))));
    const labels = { name: 'label', data: rows.map((r) => r.label), type: 'INT64' } as const;
    const table = (...columns: NonNullable<Parameters<typeof parquetWriteBuffer>[0]['columnData']>) =>
      file(name, new Uint8Array(parquetWriteBuffer({ columnData: columns })));
    const numbers = { name: 'x', data: rows.map(() => 1.5), type: 'DOUBLE' } as const;
    await wrong([table(labels, numbers), test], name, /columns img/, /label, x/);
    await wrong([table({ ...labels, name: 'fine_label' }, numbers), test], name, /columns img/, /CIFAR-100/);
    const none = file(name, parquetOf([]));
    await wrong([none, test], name, /./, /./);
    const patch = (label: bigint | null, png: Uint8Array | null) =>
      file(name, parquetOf(rows.map((r, i) => (i === 4 ? { label, png } : r))));
    await wrong([patch(10n, rows[4]?.png ?? null), test], name, /0 to 9/, /10 in row 5/);
    await wrong([patch(-1n, rows[4]?.png ?? null), test], name, /0 to 9/, /-1 in row 5/);
    await wrong([patch(null, rows[4]?.png ?? null), test], name, /0 to 9/, /no label in row 5/);
    await wrong([patch(1n, null), test], name, /an image/, /none in row 5/);
    await wrong([patch(1n, text('JFIF')), test], name, /PNG/, /row 5/);
    const cutPng = pngOf(records(1, 5).subarray(1)).slice(0, 200);
    await wrong([patch(1n, cutPng), test], name, /PNG/, /row 5/);
    const good = parquetOf(rows);
    await wrong([file(name, good.slice(0, good.length - 20)), test], name, /PAR1/, /cut short/);
    await wrong([file(name, good.slice(0, 40)), test], name, /PAR1|footer/, /./);
    await wrong(
      [file('test.parquet', parquetOf(Array.from({ length: 10_001 }, () => rows[0] as (typeof rows)[0])))],
      'test.parquet',
      /at most 10000/,
      /10001/,
    );
    await wrong([file(name, good), test, file('data_batch_1.bin', ten)], name, /one source/, /data_batch_1\.bin/);
    await wrong([file('a.parquet', good), file('b.parquet', good), file('c.parquet', good)], 'c.parquet', /train or test/, /3 Parquet/);
  });
});

test('a cancel is noticed at once, at whatever moment it comes', async () => {
  const b = drawnBatches(60);
  const files = [file('cifar.tar.gz', await gzip(tarOf(b)))];
  const before = new AbortController();
  before.abort();
  expect((await failure(loadPublishedFiles('cifar10', files, quiet(before.signal)))).kind).toBe('cancelled');
  expect((await failure(loadPublished('cifar10', { ...quiet(before.signal), baseUrl: '/stream-test/none/' }))).kind).toBe('cancelled');
  const rows = file('train.parquet', parquetOf(rowsOf(concat(...b.train, ...b.train, ...b.train))));
  for (const [set, delay] of [
    [files, 0],
    [files, 3],
    [files, 10],
    [[rows], 20],
    [[rows], 60],
  ] as const) {
    const controller = new AbortController();
    let at = 0;
    setTimeout(() => {
      at = performance.now();
      controller.abort();
    }, delay);
    const outcome = await loadPublishedFiles('cifar10', set, quiet(controller.signal)).then(
      () => null,
      (error: unknown) => error,
    );
    if (at === 0) continue;
    expect(outcome).toMatchObject({ name: 'DataError', kind: 'cancelled' });
    // One slice of work is 24 ms; the rest is room for a busy machine.
    expect(performance.now() - at).toBeLessThan(1000);
  }
  const { readCache } = await import('../../../app/engine/data/cache');
  const { Pace } = await import('../../../app/engine/data/pace');
  const { cifar10 } = await import('../../../app/engine/data/cifar10/config');
  const left = await readCache(cifar10, new Pace(new AbortController().signal, () => undefined));
  expect(left).toBeNull();
});
