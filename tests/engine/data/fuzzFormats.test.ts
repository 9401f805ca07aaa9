import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { FormatError } from '../../../app/engine/data/formats/formatError';
import { IdxReader } from '../../../app/engine/data/formats/idx';
import { openParquet, readColumn } from '../../../app/engine/data/formats/parquet';
import { PngDecoder } from '../../../app/engine/data/formats/png';
import { gunzip } from '../../../app/engine/data/formats/streams';
import { TarReader } from '../../../app/engine/data/formats/tar';
import { openZip, unzip } from '../../../app/engine/data/formats/zip';
import { Pace } from '../../../app/engine/data/pace';
import { cifar100Set } from '../../../app/engine/data/cifar100/set';
import { BatchDecoder, batchLayout, recordsIn } from '../../../app/engine/data/published/records';
import { concat, gzip, mutate, parquetOf, pngOf, random, records, tarEnd, tarEntry, text, type Bytes } from './fixtures';

/**
 * Five hundred damaged files or more for each decoder: bits flipped, runs erased, pieces cut out, doubled or spliced in from another file. Each is
 * either read or refused by a FormatError that says something, and nothing takes long or much memory.
 */
const RUNS = 500;

async function fuzz(what: string, good: readonly Bytes[], runs: number, read: (bytes: Bytes) => Promise<unknown> | void): Promise<void> {
  const next = random(what.length * 7919);
  for (const bytes of good) await read(bytes);
  let refused = 0;
  for (let i = 0; i < runs; i++) {
    const started = performance.now();
    const bytes = mutate(good[i % good.length] as Bytes, next, 0, good[(i + 1) % good.length]);
    try {
      await read(bytes);
    } catch (error) {
      refused++;
      if (!(error instanceof FormatError)) throw new Error(`${what}, mutation ${i}: ${String(error)}`, { cause: error });
      expect(`${error.expected} ${error.found}`, `${what}, mutation ${i}`).toMatch(/^(?!.*(undefined|NaN|\[object)).{5}/s);
    }
    // A millisecond in fact; seconds would be a loop driven by a false number.
    expect(performance.now() - started, `${what}, mutation ${i}`).toBeLessThan(3000);
  }
  expect(refused, what).toBeGreaterThan(0);
}

const LIMIT = 1 << 20;
const pace = () => new Pace(new AbortController().signal, () => undefined);
const tar = concat(tarEntry('a/one.bin', records(1, 1).slice(0, 700)), tarEntry('a/two.bin', text('two')), tarEnd);

test('tar', () =>
  fuzz('tar', [tar, concat(tarEntry('pax', text('17 path=longname\n'), 'x'), tar)], 2 * RUNS, (bytes) => {
    let taken = 0;
    const reader = new TarReader(() => ({ write: (part) => void (taken += part.length), end: () => undefined }), LIMIT);
    for (let at = 0; at < bytes.length; at += 300) reader.push(bytes.subarray(at, at + 300));
    reader.end();
    expect(taken).toBeLessThanOrEqual(bytes.length);
  }));

test('gzip', async () => {
  const packed = await gzip(tar);
  await fuzz('gzip', [packed, await gzip(text('text '.repeat(200)))], RUNS, async (bytes) => {
    let length = 0;
    for await (const chunk of gunzip(new Blob([bytes]).stream(), pace())) length += chunk.length;
    expect(length).toBeLessThan(bytes.length * 1100 + 1000);
  });
});

test('zip', () => {
  const content = { 'cat/1.txt': text('meow '.repeat(60)), 'dog/2.txt': records(1, 2).slice(0, 200) };
  const good = [zipSync(content, { level: 9 }), zipSync(content, { level: 0 })] as Bytes[];
  return fuzz('zip', good, RUNS, async (bytes) => {
    const blob = new Blob([bytes]);
    for (const entry of await openZip(blob, { entries: 100, size: LIMIT, total: LIMIT })) {
      expect((await unzip(blob, entry, LIMIT)).length).toBe(entry.size);
    }
  });
});

test('Parquet', () => {
  const rows = [1, 2, 3].map((i) => ({ png: text(`image ${i} ${'x'.repeat(40 * i)}`), label: BigInt(i) }));
  const good = [parquetOf(rows), parquetOf([...rows, ...rows], { rowGroupSize: 2, codec: 'UNCOMPRESSED' })];
  return fuzz('Parquet', good, RUNS, async (bytes) => {
    const blob = new Blob([bytes]);
    const file = await openParquet(blob, 1000);
    let values = 0;
    for (const group of file.groups)
      for (const leaf of file.leaves) {
        const chunk = group.chunks.get(leaf.path);
        if (!chunk || leaf.repeated) continue;
        for await (const page of readColumn(blob, chunk, leaf)) values += page.length;
        expect(values).toBeLessThan(1e6);
      }
  });
});

test('IDX', () => {
  const images = concat(Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28), records(1, 3).slice(0, 1568));
  const labels = concat(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 5), Uint8Array.of(1, 2, 3, 4, 5));
  return fuzz('IDX', [images, labels], 2 * RUNS, (bytes) => {
    const reader = new IdxReader(28, 10);
    for (let at = 0; at < bytes.length; at += 7) reader.push(bytes.subarray(at, at + 7));
    const file = reader.end();
    expect(file.data.length).toBe(file.count * (file.kind === 'images' ? 784 : 1));
  });
});

test('CIFAR records', () => {
  const good = concat(...[5, 6].map((seed) => concat(Uint8Array.of(seed), Uint8Array.of(50 + seed), records(1, seed).slice(1))));
  return fuzz('records', [good, good.slice(0, 3074)], RUNS, (bytes) => {
    const count = recordsIn(cifar100Set, bytes.length, 10);
    const batch = new BatchDecoder(batchLayout(cifar100Set), count);
    batch.write(bytes);
    const split = batch.end();
    expect(split.labels.every((label) => label < 100)).toBe(true);
    expect(split.images.length).toBe(count * 3072);
  });
});

test('PNG', () => {
  const decoder = new PngDecoder(32, 32);
  const out = new Uint8Array(3072);
  return fuzz('PNG', [pngOf(records(1, 8).subarray(1)), pngOf(records(1, 9).subarray(1))], 2 * RUNS, (bytes) =>
    decoder.decode(bytes, out, 0),
  );
});
