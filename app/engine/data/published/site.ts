import { download, dropPartial } from '../download';
import { asDataError } from '../failure';
import { chunksOf } from '../formats/streams';
import type { Pace } from '../pace';
import { DataError, type DataNotice, type Split } from '../types';
import { BatchDecoder, siteLayout } from './records';
import { limitOf, pixelsOf, type PublishedSet, type SplitName } from './set';

/** One file of the site's folder: canonical records (label, then planes), all batches of a split after one another. */
export interface SiteFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly count: number;
}

/** `data/NAME/NAME.json`, written by `npm run data -- NAME`. */
export interface SiteIndex {
  readonly format: 'q3r-data';
  readonly version: 1;
  readonly name: string;
  readonly train: SiteFile;
  readonly test: SiteFile;
}

export const orChoose = ({ words }: PublishedSet): string => `Or choose ${words.archive} from this computer.`;
const indexOf = ({ config }: PublishedSet): string => `${config.name}.json`;
const rebuild = (set: PublishedSet): string =>
  `Whoever runs this site can repair it with "npm run data -- ${set.config.name}". ${orChoose(set)}`;

export interface Source {
  train: Split;
  test: Split;
  bytes: number;
  notices: DataNotice[];
  /** Addresses of downloads that may be forgotten once the data set is in use. */
  urls: string[];
}

/**
 * Loads from the site's own `data/NAME/` folder. Returns null where the site has none: no answer, no file, or the
 * page that some servers send for every unknown address. A folder that is there but damaged is a DataError.
 */
export async function loadFromSite(set: PublishedSet, baseUrl: string, pace: Pace): Promise<Source | null> {
  const folder = new URL(`data/${set.config.name}/`, new URL(baseUrl, globalThis.location?.href));
  pace.begin('Looking at this site', 0);
  const index = await readIndex(set, new URL(indexOf(set), folder), pace);
  if (!index) return null;
  pace.begin('Downloading from this site', index.train.bytes + index.test.bytes);
  pace.totalImages = index.train.count + index.test.count;
  const urls: string[] = [];
  const splits: Partial<Record<SplitName, Split>> = {};
  for (const split of ['train', 'test'] as const) {
    const { file, bytes, sha256, count } = index[split];
    const url = new URL(file, folder).href;
    pace.stage = `Downloading ${file} from this site`;
    const got = await download(
      { url, name: file, bytes, maxBytes: limitOf(set, split) * (1 + pixelsOf(set.config)), resumable: true, otherwise: orChoose(set) },
      pace,
    );
    urls.push(url);
    try {
      if (got.blob.size !== bytes) throw new DataError(file, `${bytes} bytes`, `${got.blob.size}`, rebuild(set));
      if (got.sha256 !== sha256) throw new DataError(file, `SHA-256 ${sha256}`, got.sha256, rebuild(set));
      splits[split] = await decodeRecords(set, got.blob, file, count, pace);
    } catch (error) {
      await dropPartial(url);
      throw error;
    }
  }
  const { train, test } = splits as Record<SplitName, Split>;
  const notices: DataNotice[] = [];
  const { trainCount, testCount, label } = set.config;
  if (train.count < trainCount || test.count < testCount) {
    const text = `This site offers ${train.count} training and ${test.count} test images; the full ${label} has ${trainCount} and ${testCount}.`;
    notices.push({ kind: 'incomplete', text });
  }
  return { train, test, bytes: index.train.bytes + index.test.bytes, notices, urls };
}

async function readIndex(set: PublishedSet, url: URL, pace: Pace): Promise<SiteIndex | null> {
  let text: string;
  try {
    const response = await fetch(url, { signal: pace.signal, cache: 'no-cache' });
    if (!response.ok || !response.body) return null;
    text = '';
    const decoder = new TextDecoder();
    for await (const chunk of chunksOf(response.body, pace)) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > 1 << 16) break;
    }
  } catch {
    pace.check();
    return null;
  }
  if (text.trimStart().startsWith('<')) return null;
  const index = parseIndex(set, text);
  if (!index)
    throw new DataError(indexOf(set), 'a description of the data set (format q3r-data, version 1)', `"${text.slice(0, 60)}"`, rebuild(set));
  return index;
}

function parseIndex(set: PublishedSet, text: string): SiteIndex | null {
  try {
    const index = JSON.parse(text) as Partial<SiteIndex> | null;
    const isFile = (f: Partial<SiteFile> | undefined, limit: number) =>
      f !== undefined &&
      typeof f.file === 'string' &&
      // A plain name: the index must not send the page elsewhere.
      /^[\w.-]{1,100}$/.test(f.file) &&
      typeof f.count === 'number' &&
      Number.isInteger(f.count) &&
      f.count > 0 &&
      f.count <= limit &&
      f.bytes === f.count * (1 + pixelsOf(set.config)) &&
      /^[0-9a-f]{64}$/.test(f.sha256 ?? '');
    const ours = index?.format === 'q3r-data' && index.version === 1 && index.name === set.config.name;
    return ours && isFile(index.train, limitOf(set, 'train')) && isFile(index.test, limitOf(set, 'test')) ? (index as SiteIndex) : null;
  } catch {
    return null;
  }
}

async function decodeRecords(set: PublishedSet, blob: Blob, name: string, count: number, pace: Pace): Promise<Split> {
  const batch = new BatchDecoder(siteLayout(set), count);
  const before = pace.images;
  try {
    for await (const chunk of chunksOf(blob.stream(), pace)) {
      batch.write(chunk);
      pace.images = before + batch.done;
    }
    return batch.end();
  } catch (error) {
    pace.check();
    throw asDataError(name, error);
  }
}
