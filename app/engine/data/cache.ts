import type { DatasetConfig } from './config';
import { wordSum } from './formats/checksums';
import type { Pace } from './pace';
import { folder, readFile, removeFile, writeFile } from './storage';
import { DataError, newLabels, reasonOf, type DataNotice, type LoadedDataset, type Split } from './types';

/** Decoded splits in the browser's storage: `train.bin` and `test.bin` hold all labels, then all images. */
const VERSION = 1;
const META = 'meta.json';
const PIECE = 8 << 20;
/** A thousand long class names fit. */
const MAX_META = 1 << 20;

interface SplitMeta {
  count: number;
  sum: number;
}
interface Meta {
  version: number;
  train: SplitMeta;
  test: SplitMeta;
  notices: DataNotice[];
  /** Only of sets that are not the same on every device. */
  set?: Pick<DatasetConfig, 'imageSize' | 'classes' | 'trainCount' | 'testCount' | 'mean' | 'std'>;
}

const isCount = (n: unknown, max: number): n is number => typeof n === 'number' && Number.isInteger(n) && n > 0 && n <= max;
const isSplitMeta = (x: unknown, max: number): x is SplitMeta =>
  typeof x === 'object' && x !== null && 'count' in x && 'sum' in x && isCount(x.count, max) && typeof x.sum === 'number';

function parseMeta(text: string, config: DatasetConfig): Meta | null {
  try {
    const meta = JSON.parse(text) as Partial<Meta> | null;
    if (!meta || meta.version !== VERSION) return null;
    const { train, test } = meta;
    if (!isSplitMeta(train, config.trainCount) || !isSplitMeta(test, config.testCount)) return null;
    const notices = (Array.isArray(meta.notices) ? meta.notices : []).filter((n) => typeof n?.text === 'string');
    return { version: VERSION, train, test, notices };
  } catch {
    return null;
  }
}

/** Labels as they are stored: one byte each, or two (little-endian, as every platform of ours is). */
const labelBytes = ({ labels }: Split) => new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength);
const bytesOf = (split: Split) => split.labels.byteLength + split.images.length;
const sumOf = (split: Split) => wordSum(split.images, wordSum(labelBytes(split)));

/** Makes a set's description of what the cache says about it; null where that makes no sense. */
export type Describe = (stored: unknown) => DatasetConfig | null;

/** What is known of a cached set without reading its images; null where there is none or nothing that makes sense. */
export async function describeCache(name: string, describe: Describe): Promise<DatasetConfig | null> {
  try {
    const file = await readFile(await folder(name), META);
    const meta = file && file.size < MAX_META ? (JSON.parse(await file.text()) as { set?: unknown } | null) : null;
    return meta ? describe(meta.set) : null;
  } catch {
    return null;
  }
}

/**
 * The cached data set, or null. One that is damaged or of another version is removed, so that it is loaded afresh. `describe` is for sets
 * that are not the same on every device.
 */
export async function readCache(base: DatasetConfig, pace: Pace, describe?: Describe): Promise<LoadedDataset | null> {
  const name = base.name;
  let dir: FileSystemDirectoryHandle;
  try {
    dir = await folder(name);
  } catch {
    return null;
  }
  const file = await readFile(dir, META);
  if (!file) return null;
  try {
    const text = file.size < MAX_META ? await file.text() : '';
    const config = describe ? describe((JSON.parse(text) as { set?: unknown } | null)?.set) : base;
    const meta = config && parseMeta(text, config);
    if (!meta) throw new Error('unreadable description');
    const pixels = config.channels * config.imageSize ** 2;
    pace.begin('Reading from this browser', (meta.train.count + meta.test.count) * (pixels + (config.classes.length > 256 ? 2 : 1)));
    pace.totalImages = meta.train.count + meta.test.count;
    const train = await readSplit(dir, 'train.bin', meta.train, pixels, config.classes.length, pace);
    const test = await readSplit(dir, 'test.bin', meta.test, pixels, config.classes.length, pace);
    pace.report(true);
    return { config, train, test, origin: 'cache', bytes: pace.bytes, cached: true, notices: meta.notices };
  } catch (error) {
    pace.check();
    if (error instanceof DataError) throw error;
    await removeCache(name);
    return null;
  }
}

async function readSplit(
  dir: FileSystemDirectoryHandle,
  name: string,
  meta: SplitMeta,
  pixels: number,
  classes: number,
  pace: Pace,
): Promise<Split> {
  const file = await readFile(dir, name);
  const labels = newLabels(meta.count, classes);
  if (!file || file.size !== labels.byteLength + meta.count * pixels) throw new Error(`${name} has another size`);
  const split: Split = { images: new Uint8Array(meta.count * pixels), labels, count: meta.count };
  const fill = async (out: Uint8Array, from: number) => {
    for (let at = 0; at < out.length; at += PIECE) {
      const end = Math.min(out.length, at + PIECE);
      out.set(new Uint8Array(await file.slice(from + at, from + end).arrayBuffer()), at);
      pace.bytes += end - at;
      await pace.breathe();
    }
  };
  await fill(labelBytes(split), 0);
  await fill(split.images, labels.byteLength);
  if (sumOf(split) !== meta.sum || split.labels.some((label) => label >= classes)) throw new Error(`${name} is damaged`);
  pace.images += meta.count;
  return split;
}

async function removeCache(name: string): Promise<void> {
  try {
    const dir = await folder(name);
    for (const file of [META, 'train.bin', 'test.bin']) await removeFile(dir, file);
  } catch {
    // Without storage there is nothing to remove.
  }
}

/**
 * Stores the data set for the next visit. Returns the notice to show when that is impossible, undefined when it
 * worked; the data set is usable either way.
 */
export async function writeCache(data: LoadedDataset, pace: Pace, own?: Meta['set']): Promise<DataNotice | undefined> {
  const { config, train, test } = data;
  let dir: FileSystemDirectoryHandle | undefined;
  try {
    dir = await folder(config.name);
    pace.begin('Storing in this browser', bytesOf(train) + bytesOf(test));
    // The description goes first and comes last: whatever interrupts this, no half cache is ever believed.
    await removeFile(dir, META);
    for (const [name, split] of [
      ['train.bin', train],
      ['test.bin', test],
    ] as const) {
      await writeFile(dir, name, [labelBytes(split), split.images], () => pace.breathe());
      pace.bytes += bytesOf(split);
    }
    const meta: Meta = {
      version: VERSION,
      train: { count: train.count, sum: sumOf(train) },
      test: { count: test.count, sum: sumOf(test) },
      notices: data.notices,
      ...(own && { set: own }),
    };
    await writeFile(dir, META, [new Blob([JSON.stringify(meta)])], () => pace.breathe());
    pace.report(true);
    return undefined;
  } catch (error) {
    if (dir) await removeCache(config.name);
    pace.check();
    if (error instanceof DOMException && error.name === 'QuotaExceededError') {
      const size = Math.round((train.images.length + test.images.length) / 1e6);
      const text = `This browser has no room to keep ${config.label} (${size} MB): it is in use now, and will be loaded again next time. Free some disk space to keep it.`;
      return { kind: 'quota', text };
    }
    const text = `This browser cannot keep ${config.label}: it is in use now, and will be loaded again next time (${reasonOf(error)}).`;
    return { kind: 'storage', text };
  }
}
