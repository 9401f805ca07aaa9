import { asDataError } from '../failure';
import { FormatError } from '../formats/formatError';
import { IdxReader, isIdx } from '../formats/idx';
import { chunksOf, countedStream, gunzip, peek } from '../formats/streams';
import { TarReader, type TarEntry, type TarSink } from '../formats/tar';
import { openZip, unzip } from '../formats/zip';
import type { Pace } from '../pace';
import { DataError, type DataNotice, type NamedBlob, type Split } from '../types';
import { Parts } from './parts';
import { BatchDecoder, batchLayout, recordsIn } from './records';
import { openRows, type RowsFile } from './rows';
import { limitOf, recordBytes, splitOf, type PublishedSet, type SplitName } from './set';
import { baseName, isCompanion, sniff } from './sniff';

/** Files in an archive; the published ones have at most nine. */
const MAX_ENTRIES = 1000;
const isIdxName = (name: string) => /ubyte(\.gz)?$/i.test(name);

/** Both splits and what is to be said about them. Throws DataError; nothing is kept of a load that fails. */
export async function decodeFiles(
  set: PublishedSet,
  files: readonly NamedBlob[],
  pace: Pace,
): Promise<{ train: Split; test: Split; notices: DataNotice[] }> {
  if (files.length === 0) throw new DataError(set.config.label, 'at least one file', 'none', set.words.ways);
  const total = files.reduce((n, f) => n + f.blob.size, 0);
  pace.begin('Reading files', total);
  const reader = new FilesReader(set, pace);
  for (const { name, blob } of files) await reader.file(baseName(name), blob, baseName(name), true);
  return reader.finish();
}

/** Reads files one after the other, and those in archives. `where` names a file in messages; `outer` files count as progress. */
class FilesReader {
  private readonly parts: Parts;
  private readonly rows: { name: string; file: RowsFile }[] = [];
  /** Everything in an archive together: the images, and some room for readme files. */
  private readonly maxUnpacked: number;

  constructor(
    private readonly set: PublishedSet,
    private readonly pace: Pace,
  ) {
    this.parts = new Parts(set);
    this.maxUnpacked = (limitOf(set, 'train') + limitOf(set, 'test')) * recordBytes(set) + (64 << 20);
  }

  async file(name: string, blob: Blob, where: string, outer: boolean): Promise<void> {
    const { set, pace } = this;
    pace.stage = `Reading ${name}`;
    await pace.breathe();
    try {
      const what = sniff(name, new Uint8Array(await blob.slice(0, 512).arrayBuffer()));
      const stream = () => (outer ? countedStream(blob, pace) : blob.stream());
      switch (what.kind) {
        case 'foreign':
          throw new FormatError(set.words.file, what.found, set.words.ways);
        case 'companion':
          if (outer) pace.bytes += blob.size;
          return;
        case 'bin':
          return await this.batch(name, blob, chunksOf(stream(), pace));
        case 'idx':
          return await this.idx(name, chunksOf(stream(), pace));
        case 'gzip':
          return await this.unpacked(name, gunzip(stream(), pace), where);
        case 'tar':
          return await this.tar(chunksOf(stream(), pace), where);
        case 'zip':
          return await this.zip(blob, where, outer);
        case 'parquet': {
          const split = splitOf(name);
          this.rows.push({ name, file: await openRows(set, blob, limitOf(set, split ?? 'train')) });
        }
      }
    } catch (error) {
      pace.check();
      throw asDataError(where, error);
    }
  }

  async finish(): Promise<{ train: Split; test: Split; notices: DataNotice[] }> {
    const { parts, pace } = this;
    for (const { name, file, split } of assign(this.rows, parts)) {
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

  /** What a gzip file holds: an IDX file, else an archive. */
  private async unpacked(name: string, packed: AsyncGenerator<Uint8Array>, where: string): Promise<void> {
    const { head, chunks } = await peek(packed, 8);
    if (this.set.idx && isIdx(head)) await this.idx(name.replace(/\.gz$/i, ''), chunks);
    else await this.tar(chunks, where);
  }

  private async batch(name: string, blob: Blob, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { set, parts, pace } = this;
    if (!set.record) throw new FormatError(set.words.file, 'a file of another kind', set.words.ways);
    const split = splitOf(name);
    if (!split) throw new FormatError(set.words.named, `the name ${name}`, 'Give the file its original name.');
    const count = recordsIn(set, blob.size, limitOf(set, split));
    parts.reserve(split, name, 'bin', count);
    const batch = new BatchDecoder(batchLayout(set), count);
    const before = pace.images;
    for await (const chunk of chunks) {
      batch.write(chunk);
      pace.images = before + batch.done;
    }
    parts.add({ ...batch.end(), split, name, kind: 'bin' });
  }

  private async idx(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { set, parts, pace } = this;
    if (!set.idx) throw new FormatError(set.words.file, 'an IDX file: this looks like MNIST', set.words.ways);
    const split = splitOf(name);
    if (!split) throw new FormatError(set.words.named, `the name ${name}`, 'Give the file its original name.');
    const reader = new IdxReader(set.config.imageSize, limitOf(set, split));
    for await (const chunk of chunks) reader.push(chunk);
    const file = reader.end();
    if (file.kind === 'images') pace.images += file.count;
    parts.addHalf(split, name, file);
  }

  /** Adds every batch of an archive; IDX files in it are kept aside, being small, and read after it. */
  private async tar(chunks: AsyncIterable<Uint8Array>, where: string): Promise<void> {
    const { set, parts, pace, maxUnpacked } = this;
    const names: string[] = [];
    const aside: NamedBlob[] = [];
    let batches = 0;
    const onEntry = (entry: TarEntry): TarSink | null => {
      const name = baseName(entry.name);
      if (isCompanion(name)) return null;
      if (/batches-py|batches-mat|cifar-100-(python|matlab)/.test(entry.name) || /^(data_batch_\d|test_batch)(\.mat)?$/.test(name)) {
        const version = /mat/.test(entry.name) ? 'MATLAB' : 'Python';
        throw new FormatError(`the binary version of ${set.config.label}`, `the ${version} version`, `Choose ${set.words.archive}.`);
      }
      if (names.length < 6) names.push(name);
      if (set.idx && isIdxName(name)) {
        const pieces: Uint8Array<ArrayBuffer>[] = [];
        return { write: (bytes) => void pieces.push(bytes.slice()), end: () => void aside.push({ name, blob: new Blob(pieces) }) };
      }
      const split = set.record && /\.bin$/i.test(name) ? splitOf(name) : null;
      if (!split) return null;
      const inside = `${name} in ${where}`;
      try {
        const count = recordsIn(set, entry.size, limitOf(set, split));
        parts.reserve(split, name, 'bin', count);
        const batch = new BatchDecoder(batchLayout(set), count);
        const before = pace.images;
        return {
          write: (bytes) => {
            try {
              batch.write(bytes);
            } catch (error) {
              throw asDataError(inside, error);
            }
            pace.images = before + batch.done;
          },
          end: () => {
            parts.add({ ...batch.end(), split, name, kind: 'bin' });
            batches++;
          },
        };
      } catch (error) {
        throw asDataError(inside, error);
      }
    };
    const tar = new TarReader(onEntry, maxUnpacked);
    let unpacked = 0;
    for await (const chunk of chunks) {
      unpacked += chunk.length;
      if (unpacked > maxUnpacked) throw new FormatError(`at most ${maxUnpacked} bytes in the archive`, 'more', set.words.ways);
      tar.push(chunk);
    }
    tar.end();
    for (const { name, blob } of aside) await this.file(name, blob, `${name} in ${where}`, false);
    if (batches + aside.length === 0) this.nothingIn(names);
  }

  private async zip(blob: Blob, where: string, outer: boolean): Promise<void> {
    const { pace, maxUnpacked } = this;
    const entries = await openZip(blob, { entries: MAX_ENTRIES, size: maxUnpacked, total: maxUnpacked });
    const usable = entries.filter(({ name }) => /\.(bin|parquet)$/i.test(name) || isIdxName(name));
    if (usable.length === 0) this.nothingIn(entries.map(({ name }) => baseName(name)).slice(0, 6));
    for (const entry of usable) {
      const name = baseName(entry.name);
      await this.file(name, new Blob([await unzip(blob, entry, maxUnpacked)]), `${name} in ${where}`, false);
      if (outer) pace.bytes += entry.packed;
    }
  }

  private nothingIn(names: readonly string[]): never {
    const { batches, ways } = this.set.words;
    throw new FormatError(`${batches} in the archive`, names.length > 0 ? `only ${names.join(', ')}` : 'none', ways);
  }
}

/** Which split each Parquet file is: by its name, else the larger of two is the training split. */
function assign(rows: readonly { name: string; file: RowsFile }[], parts: Parts): { name: string; file: RowsFile; split: SplitName }[] {
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
