import { writeCache } from '../cache';
import { asDataError } from '../failure';
import { openZip, unzip, type ZipEntry } from '../formats/zip';
import { Pace } from '../pace';
import {
  DataError,
  newLabels,
  reasonOf,
  type DataNotice,
  type LoadedDataset,
  type LoadOptions,
  type NamedBlob,
  type Split,
} from '../types';
import { arrange, isCandidate, type ImageSource, type Labelled } from './arrange';
import { folder } from './config';
import { MAX_FILE, shorterSide, SquareDecoder } from './decode';
import { chooseSide, MAX_PIXEL_BYTES, pixelBytes, SIDES } from './size';

const MAX_ENTRIES = 200_000;
/** Images hardly shrink in an archive; one that unpacks to this many times its size holds something else. */
const MAX_GROWTH = 64;
/** Images whose size is looked at before one size is chosen for all. */
const PROBES = 64;
/** Decoded at the same time: the browser has threads for it. */
const AT_ONCE = 8;
/** Named in the notice about files that could not be read. */
const NAMED = 5;

export interface FolderOptions extends LoadOptions {
  /** Keep it for the next visit (default). */
  store?: boolean;
}

/**
 * Makes a data set of images in folders, one per class: files with their paths, or .zip archives of such. Images are brought to one size
 * and cut square; those that cannot be read are left out and told. Rejects with a DataError, also when cancelled.
 */
export async function loadFolderFiles(files: readonly NamedBlob[], o: FolderOptions): Promise<LoadedDataset> {
  const pace = new Pace(o.signal, o.onProgress);
  pace.check();
  pace.begin('Looking at the files', 0);
  const name = nameOf(files);
  const sources = await sourcesOf(files, pace);
  const { classes, train, test, remarks } = arrange(name, sources);
  const all = [...train, ...test];
  const side = chooseSide(all.length, await probe(all, pace));
  if (side === null) {
    const most = Math.floor(MAX_PIXEL_BYTES / pixelBytes(1, SIDES[0]));
    throw new DataError(name, `at most ${most} images`, `${all.length}`, 'Take fewer images of each class.');
  }
  pace.begin(
    'Decoding images',
    all.reduce((n, { source }) => n + source.size, 0),
  );
  pace.totalImages = all.length;
  const reader = new Reader(side, classes.length, pace);
  const splits = { train: await reader.read(train), test: await reader.read(test) };
  if (splits.train.count === 0 || splits.test.count === 0) {
    const which = splits.train.count === 0 ? 'training' : 'test';
    const found = reader.lost > 0 ? `none: ${reader.lost} of ${all.length} files could not be read (${reader.reason})` : 'none';
    throw new DataError(
      name,
      `at least one ${which} image that the browser can read`,
      found,
      'Use JPEG, PNG, WebP, GIF, AVIF or BMP images.',
    );
  }
  const { mean, std } = statistics(splits.train, side);
  const trainCount = splits.train.count;
  const testCount = splits.test.count;
  const own = { imageSize: side, classes, trainCount, testCount, mean, std };
  const notices = [...remarks.map((text): DataNotice => ({ kind: 'skipped', text })), ...reader.notices(all.length)];
  const bytes = files.reduce((n, f) => n + f.blob.size, 0);
  const data: LoadedDataset = { config: { ...folder, ...own }, ...splits, origin: 'files', bytes, cached: false, notices };
  if (o.store === false) return data;
  const notice = await writeCache(data, pace, own);
  return notice ? { ...data, notices: [...notices, notice] } : { ...data, cached: true };
}

/** The archive's name, or the folder's. */
function nameOf(files: readonly NamedBlob[]): string {
  const first = files[0]?.name ?? folder.label;
  return files.length === 1 ? first : (first.split(/[/\\]/)[0] ?? first);
}

async function sourcesOf(files: readonly NamedBlob[], pace: Pace): Promise<ImageSource[]> {
  const sources: ImageSource[] = [];
  for (const { name, blob } of files) {
    if (/\.zip$/i.test(name)) {
      try {
        const limits = { entries: MAX_ENTRIES, size: MAX_FILE, total: blob.size * MAX_GROWTH + (64 << 20) };
        for (const entry of await openZip(blob, limits)) if (isCandidate(entry.name)) sources.push(fromZip(blob, entry));
      } catch (error) {
        pace.check();
        throw asDataError(name, error);
      }
    } else sources.push({ path: name, size: blob.size, open: () => Promise.resolve(blob) });
    if (sources.length > MAX_ENTRIES)
      throw new DataError(nameOf(files), `at most ${MAX_ENTRIES} files`, 'more', 'Take fewer images of each class.');
    await pace.breathe();
  }
  return sources;
}

const fromZip = (blob: Blob, entry: ZipEntry): ImageSource => ({
  path: entry.name,
  size: entry.packed,
  open: async () => new Blob([await unzip(blob, entry, MAX_FILE)]),
});

/** Shorter sides of some of the images, spread over all of them. */
async function probe(all: readonly Labelled[], pace: Pace): Promise<number[]> {
  const sides: number[] = [];
  const step = Math.max(1, Math.floor(all.length / PROBES));
  for (let i = 0; i < all.length; i += step) {
    const side = await all[i]?.source
      .open()
      .then(shorterSide)
      .catch(() => undefined);
    if (side !== undefined) sides.push(side);
    await pace.breathe();
  }
  return sides;
}

/** Decodes lists of images, and counts those that it cannot. */
class Reader {
  lost = 0;
  reason = '';
  private readonly names: string[] = [];
  private readonly decoder: SquareDecoder;

  constructor(
    private readonly side: number,
    private readonly classes: number,
    private readonly pace: Pace,
  ) {
    this.decoder = new SquareDecoder(side);
  }

  async read(list: readonly Labelled[]): Promise<Split> {
    const { pace } = this;
    const pixels = pixelBytes(1, this.side);
    const images = new Uint8Array(list.length * pixels);
    const labels = newLabels(list.length, this.classes);
    let count = 0;
    for (let first = 0; first < list.length; first += AT_ONCE) {
      const some = list.slice(first, first + AT_ONCE);
      // Decoded into places of their own and then moved up, so that the order does not depend on which is done first.
      const done = await Promise.all(
        some.map(async ({ source }, i) => {
          try {
            await this.decoder.decode(await source.open(), images, () => (first + i) * pixels);
            return true;
          } catch (error) {
            this.lose(source.path, reasonOf(error));
            return false;
          }
        }),
      );
      for (const [i, { source, label }] of some.entries()) {
        pace.bytes += source.size;
        if (!done[i]) continue;
        images.copyWithin(count * pixels, (first + i) * pixels, (first + i + 1) * pixels);
        labels[count++] = label;
        pace.images++;
      }
      await pace.breathe();
    }
    return { images: images.subarray(0, count * pixels), labels: labels.subarray(0, count), count };
  }

  private lose(path: string, reason: string): void {
    this.lost++;
    if (this.names.length < NAMED) this.names.push(path.split(/[/\\]/).slice(-2).join('/').slice(-80));
    this.reason ||= reason.replace(/\.$/, '').slice(0, 120);
  }

  notices(total: number): DataNotice[] {
    if (this.lost === 0) return [];
    const more = this.lost - this.names.length;
    const list = `${this.names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return [{ kind: 'skipped', text: `${this.lost} of ${total} files could not be read as images and were left out: ${list}.` }];
  }
}

/** Mean and deviation of each channel, of values in [0, 1]. */
function statistics({ images, count }: Split, side: number): { mean: number[]; std: number[] } {
  const plane = side * side;
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  for (let n = 0, at = 0; n < count; n++)
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      let square = 0;
      for (const end = at + plane; at < end; at++) {
        const value = images[at] as number;
        sum += value;
        square += value * value;
      }
      sums[c] = (sums[c] as number) + sum;
      squares[c] = (squares[c] as number) + square;
    }
  const mean = sums.map((sum) => sum / (count * plane * 255));
  // Images of one colour have no deviation; the floor keeps the normalised values finite and small.
  const std = squares.map((square, c) => Math.sqrt(Math.max(1e-4, square / (count * plane * 255 ** 2) - (mean[c] as number) ** 2)));
  return { mean, std };
}
