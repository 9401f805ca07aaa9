import { readCache, writeCache } from '../cache';
import { cifar100Set } from '../cifar100/set';
import { cifar10Set } from '../cifar10/set';
import { dropPartial } from '../download';
import { mnistSet } from '../mnist/set';
import { Pace } from '../pace';
import type { LoadedDataset, LoadOptions, NamedBlob } from '../types';
import { decodeFiles } from './files';
import { loadFromHub } from './hub';
import type { PublishedName } from './names';
import type { HubFile, PublishedSet, SplitName } from './set';
import { loadFromSite } from './site';

/** The sets that are published in files. */
export const PUBLISHED: Readonly<Record<PublishedName, PublishedSet>> = { cifar10: cifar10Set, cifar100: cifar100Set, mnist: mnistSet };

export interface PublishedOptions extends LoadOptions {
  /** Address of the page, whose `data/` folder is looked at. */
  baseUrl: string;
  /** Skips the browser's storage, and replaces what it holds. */
  refresh?: boolean;
  /** Another place, and another description, of the Hugging Face files. */
  hubBase?: string;
  hubFiles?: Record<SplitName, HubFile>;
}

/**
 * Loads a published set: from the browser's storage, else from the site's own `data/` folder, else from the Hugging Face hub.
 * Rejects with a DataError, also when cancelled; then nothing changed.
 */
export async function loadPublished(name: PublishedName, o: PublishedOptions): Promise<LoadedDataset> {
  const set: PublishedSet = PUBLISHED[name];
  const { config } = set;
  const pace = new Pace(o.signal, o.onProgress);
  pace.check();
  if (!o.refresh) {
    const cached = await readCache(config, pace);
    if (cached) return cached;
  }
  const site = await loadFromSite(set, o.baseUrl, pace);
  const source = site ?? (await loadFromHub(set, o.hubBase ?? set.hub.base, o.hubFiles ?? set.hub.files, pace));
  const { train, test, bytes, notices } = source;
  const kept = await keep({ config, train, test, origin: site ? 'site' : 'huggingface', bytes, cached: false, notices }, pace);
  for (const url of source.urls) await dropPartial(url);
  return kept;
}

/**
 * Loads a published set from files: its archive, what was unpacked from it, Parquet files, or a mix in which each split comes
 * from one kind. Both splits are needed. Rejects with a DataError, also when cancelled. `store`: keep it for the next visit (default).
 */
export async function loadPublishedFiles(
  name: PublishedName,
  files: readonly NamedBlob[],
  o: LoadOptions & { store?: boolean },
): Promise<LoadedDataset> {
  const pace = new Pace(o.signal, o.onProgress);
  pace.check();
  const { config } = PUBLISHED[name];
  const { train, test, notices } = await decodeFiles(PUBLISHED[name], files, pace);
  const bytes = files.reduce((n, f) => n + f.blob.size, 0);
  const data: LoadedDataset = { config, train, test, origin: 'files', bytes, cached: false, notices };
  return o.store === false ? data : keep(data, pace);
}

/** Stores the set for the next visit; what hinders that becomes a notice. */
export async function keep(data: LoadedDataset, pace: Pace): Promise<LoadedDataset> {
  const notice = await writeCache(data, pace);
  return notice ? { ...data, notices: [...data.notices, notice] } : { ...data, cached: true };
}
