import { readCache, writeCache } from '../cache';
import { dropPartial } from '../download';
import { Pace } from '../pace';
import type { LoadedDataset, LoadOptions, NamedBlob } from '../types';
import type { SplitName } from './batch';
import { cifar10 } from './config';
import { decodeFiles } from './files';
import { HUB, HUB_FILES, loadFromHub, type HubFile } from './hub';
import { loadFromSite } from './site';

export interface Cifar10Options extends LoadOptions {
  /** Address of the page, whose `data/` folder is looked at. */
  baseUrl: string;
  /** Skips the browser's storage, and replaces what it holds. */
  refresh?: boolean;
  /** Another place, and another description, of the Hugging Face files. */
  hubBase?: string;
  hubFiles?: Record<SplitName, HubFile>;
}

/**
 * Loads CIFAR-10: from the browser's storage, else from the site's own `data/` folder, else from the Hugging Face hub.
 * Rejects with a DataError, also when cancelled; then nothing changed.
 */
export async function loadCifar10(o: Cifar10Options): Promise<LoadedDataset> {
  const pace = new Pace(o.signal, o.onProgress);
  pace.check();
  if (!o.refresh) {
    const cached = await readCache(cifar10, pace);
    if (cached) return cached;
  }
  const site = await loadFromSite(o.baseUrl, pace);
  const source = site ?? (await loadFromHub(o.hubBase ?? HUB, o.hubFiles ?? HUB_FILES, pace));
  const { train, test, bytes, notices } = source;
  const kept = await keep({ config: cifar10, train, test, origin: site ? 'site' : 'huggingface', bytes, cached: false, notices }, pace);
  for (const url of source.urls) await dropPartial(url);
  return kept;
}

/**
 * Loads CIFAR-10 from files: `cifar-10-binary.tar.gz` (or .tar), loose `.bin` batches, Parquet files, or a mix in which
 * each split comes from one kind. Both splits are needed. Rejects with a DataError, also when cancelled. `store`: keep
 * it for the next visit (default).
 */
export async function loadCifar10Files(files: readonly NamedBlob[], o: LoadOptions & { store?: boolean }): Promise<LoadedDataset> {
  const pace = new Pace(o.signal, o.onProgress);
  pace.check();
  const { train, test, notices } = await decodeFiles(files, pace);
  const bytes = files.reduce((n, f) => n + f.blob.size, 0);
  const data: LoadedDataset = { config: cifar10, train, test, origin: 'files', bytes, cached: false, notices };
  return o.store === false ? data : keep(data, pace);
}

async function keep(data: LoadedDataset, pace: Pace): Promise<LoadedDataset> {
  const notice = await writeCache(data, pace);
  return notice ? { ...data, notices: [...data.notices, notice] } : { ...data, cached: true };
}
