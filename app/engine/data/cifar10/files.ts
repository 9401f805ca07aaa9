import { asDataError } from '../failure';
import { FormatError } from '../formats/formatError';
import { chunksOf, countedStream, gunzip } from '../formats/streams';
import { TarReader, type TarEntry, type TarSink } from '../formats/tar';
import type { Pace } from '../pace';
import { DataError, type DataNotice, type NamedBlob, type Split } from '../types';
import { BatchDecoder, LIMIT, PIXELS, RECORD, recordsIn, splitOf, type Part, type SplitName } from './batch';
import { openRows, type RowsFile } from './rows';
import { isCompanion, sniff } from './sniff';

const WAYS = 'Choose cifar-10-binary.tar.gz, its .bin files, or the two Parquet files of uoft-cs/cifar10.';
const WANTED = 'a CIFAR-10 file (.tar.gz, .bin or .parquet)';
/** Everything in the archive together: the images, and some room for readme files. */
const MAX_UNPACKED = (LIMIT.train + LIMIT.test) * RECORD + (64 << 20);
const baseName = (path: string) => path.replace(/\/+$/, '').split(/[/\\]/).pop() ?? path;

/** Both splits and what is to be said about them. Throws DataError; nothing is kept of a load that fails. */
export async function decodeFiles(files: readonly NamedBlob[], pace: Pace): Promise<{ train: Split; test: Split; notices: DataNotice[] }> {
  if (files.length === 0) throw new DataError('CIFAR-10', 'at least one file', 'none', WAYS);
  const parts = new Parts();
  const rows: { name: string; file: RowsFile }[] = [];
  pace.begin(
    'Reading files',
    files.reduce((n, f) => n + f.blob.size, 0),
  );
  for (const { name: path, blob } of files) {
    const name = baseName(path);
    pace.stage = `Reading ${name}`;
    await pace.breathe();
    try {
      const what = sniff(name, new Uint8Array(await blob.slice(0, 512).arrayBuffer()));
      if (what.kind === 'foreign') throw new FormatError(WANTED, what.found, WAYS);
      if (what.kind === 'companion') pace.bytes += blob.size;
      if (what.kind === 'bin') parts.add(await readBatch(name, blob, parts, pace));
      if (what.kind === 'tar') await readTar(name, chunksOf(countedStream(blob, pace), pace), parts, pace);
      if (what.kind === 'gzip') await readTar(name, gunzip(countedStream(blob, pace), pace), parts, pace);
      if (what.kind === 'parquet') {
        const split = splitOf(name);
        rows.push({ name, file: await openRows(blob, split ? LIMIT[split] : LIMIT.train) });
      }
    } catch (error) {
      pace.check();
      throw asDataError(name, error);
    }
  }
  for (const { name, file, split } of assign(rows, parts)) {
    pace.stage = `Decoding ${name}`;
    try {
      parts.reserve(split, name, 'parquet', file.rows);
      parts.add({ ...(await file.decode(pace)), split, name, kind: 'parquet' });
    } catch (error) {
      pace.check();
      throw asDataError(name, error);
    }
  }
  return parts.finish(pace);
}

async function readBatch(name: string, blob: Blob, parts: Parts, pace: Pace): Promise<Part> {
  const split = splitOf(name);
  if (!split) {
    throw new FormatError(
      'a batch named data_batch_1.bin … data_batch_5.bin or test_batch.bin',
      `the name ${name}`,
      'Give the file its original name.',
    );
  }
  const count = recordsIn(blob.size, LIMIT[split]);
  parts.reserve(split, name, 'bin', count);
  const batch = new BatchDecoder(count);
  const before = pace.images;
  for await (const chunk of chunksOf(countedStream(blob, pace), pace)) {
    batch.write(chunk);
    pace.images = before + batch.done;
  }
  return { ...batch.end(), split, name, kind: 'bin' };
}

/** Adds every batch of an archive to `parts`. */
async function readTar(archive: string, chunks: AsyncIterable<Uint8Array>, parts: Parts, pace: Pace): Promise<void> {
  const names: string[] = [];
  let batches = 0;
  const onEntry = (entry: TarEntry): TarSink | null => {
    const name = baseName(entry.name);
    if (isCompanion(name)) return null;
    if (/batches-py|batches-mat/.test(entry.name) || /^(data_batch_\d|test_batch)(\.mat)?$/.test(name)) {
      const version = /mat/.test(entry.name) ? 'MATLAB' : 'Python';
      throw new FormatError('the binary version of CIFAR-10', `the ${version} version`, 'Choose cifar-10-binary.tar.gz.');
    }
    if (names.length < 6) names.push(name);
    const split = /\.bin$/i.test(name) ? splitOf(name) : null;
    if (!split) return null;
    const where = `${name} in ${archive}`;
    try {
      const count = recordsIn(entry.size, LIMIT[split]);
      parts.reserve(split, name, 'bin', count);
      const batch = new BatchDecoder(count);
      const before = pace.images;
      return {
        write: (bytes) => {
          try {
            batch.write(bytes);
          } catch (error) {
            throw asDataError(where, error);
          }
          pace.images = before + batch.done;
        },
        end: () => {
          parts.add({ ...batch.end(), split, name, kind: 'bin' });
          batches++;
        },
      };
    } catch (error) {
      throw asDataError(where, error);
    }
  };
  const tar = new TarReader(onEntry, MAX_UNPACKED);
  let unpacked = 0;
  for await (const chunk of chunks) {
    unpacked += chunk.length;
    if (unpacked > MAX_UNPACKED) throw new FormatError(`at most ${MAX_UNPACKED} bytes in the archive`, 'more', WAYS);
    tar.push(chunk);
  }
  tar.end();
  if (batches === 0) {
    const found = names.length > 0 ? `only ${names.join(', ')}` : 'none';
    throw new FormatError('the batches data_batch_1.bin … test_batch.bin in the archive', found, WAYS);
  }
}

/** Which split each Parquet file is: by its name, else the larger of two is the training split. */
function assign(rows: { name: string; file: RowsFile }[], parts: Parts): { name: string; file: RowsFile; split: SplitName }[] {
  const known = rows.map((r) => ({ ...r, split: splitOf(r.name) }));
  const unnamed = known.filter((r) => !r.split).sort((a, b) => b.file.rows - a.file.rows);
  const has = (split: SplitName) => parts.has(split) || known.some((r) => r.split === split);
  if (unnamed.length > 2) {
    const name = unnamed[2]?.name ?? '';
    throw new DataError(
      name,
      'names that contain train or test',
      `${unnamed.length} Parquet files without`,
      'Give the files their original names.',
    );
  }
  for (const [i, r] of unnamed.entries()) r.split = i === 0 && (!has('train') || unnamed.length === 2) ? 'train' : 'test';
  return known.map((r) => ({ ...r, split: r.split ?? 'train' }));
}

/** Collects parts, and refuses what would be counted twice or be too much before memory is taken for it. */
class Parts {
  private readonly parts: Part[] = [];
  private readonly reserved = new Map<SplitName, { count: number; names: Map<string, string> }>();

  has(split: SplitName): boolean {
    return this.reserved.has(split) || this.parts.some((p) => p.split === split);
  }

  reserve(split: SplitName, name: string, kind: Part['kind'], count: number): void {
    const so = this.reserved.get(split) ?? { count: 0, names: new Map<string, string>() };
    this.reserved.set(split, so);
    const key = name.toLowerCase();
    if (so.names.has(key)) throw new FormatError(`${name} once`, 'it twice', 'Choose each file once.');
    const other = [...so.names].find(([, k]) => k !== kind);
    if (other)
      throw new FormatError(
        `${split} images from one source`,
        `them in ${other[0]} too`,
        'Choose either the .bin batches or the Parquet file.',
      );
    if (so.count + count > LIMIT[split]) {
      throw new FormatError(`at most ${LIMIT[split]} ${split} images`, `${so.count + count} with ${[...so.names.keys()].join(', ')}`, WAYS);
    }
    so.names.set(key, kind);
    so.count += count;
  }

  /** Adds a part whose room was reserved. */
  add(part: Part): void {
    this.parts.push(part);
  }

  async finish(pace: Pace): Promise<{ train: Split; test: Split; notices: DataNotice[] }> {
    const names = this.parts.map((p) => p.name).sort();
    for (const split of ['train', 'test'] as const) {
      if (this.parts.some((p) => p.split === split)) continue;
      const file = split === 'test' ? 'test_batch.bin' : 'data_batch_1.bin';
      const wanted =
        split === 'test'
          ? 'the test images too (test_batch.bin or test.parquet)'
          : 'the training images too (data_batch_1.bin … data_batch_5.bin)';
      throw new DataError(file, wanted, names.length > 0 ? `only ${names.join(', ')}` : 'no images', WAYS);
    }
    const train = await this.join('train', pace);
    const test = await this.join('test', pace);
    const notices: DataNotice[] = [];
    if (train.count < LIMIT.train || test.count < LIMIT.test) {
      const text = `These files hold ${train.count} training and ${test.count} test images; the full CIFAR-10 has ${LIMIT.train} and ${LIMIT.test}.`;
      notices.push({ kind: 'incomplete', text });
    }
    return { train, test, notices };
  }

  private async join(split: SplitName, pace: Pace): Promise<Split> {
    const mine = this.parts.filter((p) => p.split === split).sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    const only = mine[0];
    if (only && mine.length === 1) return { images: only.images, labels: only.labels, count: only.count };
    const count = mine.reduce((n, p) => n + p.count, 0);
    const out: Split = { images: new Uint8Array(count * PIXELS), labels: new Uint8Array(count), count };
    let at = 0;
    for (const part of mine) {
      out.images.set(part.images, at * PIXELS);
      out.labels.set(part.labels, at);
      at += part.count;
      // Dropped at once, so that the images are not held twice for longer than needed.
      this.parts.splice(this.parts.indexOf(part), 1);
      await pace.breathe();
    }
    return out;
  }
}
