import { expect, test } from 'vitest';
import { DataError, type NamedBlob } from '../../../app/engine/data';
import { loadPublishedFiles } from '../../../app/engine/data/readers';
import { concat, drawnBatches, file, gzip, mutate, parquetOf, quiet, random, records, rowsOf, tarOf } from './fixtures';

/**
 * Damaged files either load completely (a changed pixel of an uncompressed file cannot be noticed) or end in a
 * DataError, and always soon. Sizes are chosen so that every part of the formats is hit.
 */
async function ends(files: NamedBlob[], train: number, what: string): Promise<boolean> {
  const started = performance.now();
  let loaded = false;
  try {
    const data = await loadPublishedFiles('cifar10', files, { ...quiet(), store: false });
    expect([data.train.count, data.test.count], what).toEqual([train, 3]);
    expect(data.train.images.length, what).toBe(train * 3072);
    expect(
      data.train.labels.every((label) => label < 10),
      what,
    ).toBe(true);
    loaded = true;
  } catch (error) {
    expect(error, what).toBeInstanceOf(DataError);
    expect((error as DataError).kind, what).toBe('data');
    expect((error as DataError).message, what).not.toMatch(/undefined|NaN|\[object/);
  }
  // A few milliseconds in fact; seconds would be a loop driven by a false number.
  expect(performance.now() - started, what).toBeLessThan(3000);
  return loaded;
}

const RUNS = 60;
const testBatch = file('test_batch.bin', records(3, 7));
const testRows = file('test.parquet', parquetOf(rowsOf(records(3, 7))));

test('mutated archives, packed and plain', async () => {
  const b = { ...drawnBatches(1), test: records(3, 7) };
  const tar = tarOf(b);
  const packed = await gzip(tar);
  const next = random(1);
  let loaded = 0;
  for (let i = 0; i < RUNS; i++) {
    if (await ends([file('c.tar.gz', mutate(packed, next))], 5, `gzip ${i}`)) loaded++;
    // Headers are a small part of an archive, so some mutations are aimed at one.
    const aimed = i % 2 === 0 ? mutate(tar, next) : concat(tar.subarray(0, 512), mutate(tar.slice(512, 1024), next), tar.subarray(1024));
    const files = [file('c.tar', aimed)];
    await endsAny(files, `tar ${i}`);
  }
  // The checksum of gzip leaves nothing unnoticed but mutations that change nothing.
  expect(loaded).toBeLessThan(RUNS / 5);
});

/** As `ends`, where a damaged header may also lose a batch, so that fewer images come out. */
async function endsAny(files: NamedBlob[], what: string): Promise<void> {
  const started = performance.now();
  await loadPublishedFiles('cifar10', files, { ...quiet(), store: false }).then(
    (data) => expect(data.train.count, what).toBeGreaterThan(0),
    (error: unknown) => expect(error, what).toBeInstanceOf(DataError),
  );
  expect(performance.now() - started, what).toBeLessThan(3000);
}

test('archives and Parquet files cut anywhere', async () => {
  const b = { ...drawnBatches(1), test: records(3, 7) };
  const packed = await gzip(tarOf(b));
  const rows = parquetOf(rowsOf(records(6, 1)), { rowGroupSize: 2 });
  const next = random(2);
  for (let i = 0; i < 60; i++) {
    const part = i < 20 ? i : Math.floor(next() * packed.length);
    expect(await ends([file('c.tar.gz', packed.slice(0, part))], 5, `gzip cut at ${part}`)).toBe(false);
    const cut = i < 20 ? rows.length - 1 - i : Math.floor(next() * rows.length);
    expect(await ends([file('train.parquet', rows.slice(0, cut)), testRows], 6, `Parquet cut at ${cut}`)).toBe(false);
  }
});

test('mutated Parquet files: footer, page headers and pages', async () => {
  const next = random(3);
  const repeated = rowsOf(records(2, 1));
  const variants = [
    parquetOf(rowsOf(records(6, 1))),
    parquetOf(rowsOf(records(6, 1)), { rowGroupSize: 2, codec: 'UNCOMPRESSED' }),
    parquetOf(Array.from({ length: 6 }, (_, i) => repeated[i % 2] as (typeof repeated)[0])),
  ];
  for (const [v, good] of variants.entries()) {
    expect(await ends([file('train.parquet', good), testRows], 6, `variant ${v}`)).toBe(true);
    const footer = good.length - 8 - new DataView(good.buffer).getUint32(good.length - 8, true);
    for (let i = 0; i < RUNS; i++) {
      const from = i % 3 === 0 ? 0 : footer;
      await endsAny([file('train.parquet', mutate(good, next, from)), testRows], `variant ${v}, mutation ${i}`);
    }
  }
});

test('mutated batches: only labels can be told to be wrong', async () => {
  const good = records(6, 1);
  const next = random(4);
  for (let i = 0; i < RUNS; i++) await endsAny([file('data_batch_1.bin', mutate(good, next)), testBatch], `batch ${i}`);
});
