import { describeCache, readCache } from '../cache';
import type { DatasetConfig } from '../config';
import { Pace } from '../pace';
import { DataError, type LoadedDataset, type LoadOptions } from '../types';
import { folder } from './config';
import { MAX_CLASSES, MAX_PIXEL_BYTES, pixelBytes, SIDES } from './size';

/** What a stored description says, checked; null where it makes no sense. */
export function describeFolder(stored: unknown): DatasetConfig | null {
  const set = stored as Partial<DatasetConfig> | null | undefined;
  const numbers = (list: unknown, min: number) =>
    Array.isArray(list) && list.length === 3 && list.every((x) => typeof x === 'number' && x >= min && x <= 1);
  if (!set || !(SIDES as readonly unknown[]).includes(set.imageSize) || !numbers(set.mean, 0) || !numbers(set.std, 1e-4)) return null;
  const { classes, trainCount, testCount, imageSize, mean, std } = set as DatasetConfig;
  const names: unknown = classes;
  const named = Array.isArray(names) && names.every((name) => typeof name === 'string' && name.length <= 100);
  if (!named || classes.length < 2 || classes.length > MAX_CLASSES) return null;
  const counted = [trainCount, testCount].every((n) => Number.isInteger(n) && n > 0);
  if (!counted || pixelBytes(trainCount + testCount, imageSize) > MAX_PIXEL_BYTES) return null;
  return { ...folder, classes: [...classes], trainCount, testCount, imageSize, mean: [...mean], std: [...std] };
}

/** The visitor's images as far as the browser keeps them, without reading them; null where there are none. */
export const recallFolder = (): Promise<DatasetConfig | null> => describeCache(folder.name, describeFolder);

/** What to do before the set can be used. */
export const noFolder = (): DataError =>
  new DataError(
    folder.label,
    'a folder or a .zip with one sub-folder of images per class',
    'none yet',
    '',
    'data',
    'Your images are not here yet: drop a folder or a .zip with one sub-folder of images per class on the page, or choose one under Data.',
  );

/** The visitor's images from the browser's storage. Rejects with a DataError where there are none. */
export async function loadFolder(o: LoadOptions): Promise<LoadedDataset> {
  const pace = new Pace(o.signal, o.onProgress);
  pace.check();
  const cached = await readCache(folder, pace, describeFolder);
  if (cached) return cached;
  throw noFolder();
}
