import { download, dropPartial, keepDownload } from '../download';
import { asDataError } from '../failure';
import type { Pace } from '../pace';
import { DataError, type DataNotice, type Split } from '../types';
import { openRows } from './rows';
import { limitOf, type HubFile, type PublishedSet, type SplitName } from './set';
import { orChoose, type Source } from './site';

/**
 * Downloads the two Parquet files of the Hugging Face hub, each with one plain GET (other requests fail at its
 * redirects), and decodes them. Other counts than published are a DataError; another checksum is a notice.
 */
export async function loadFromHub(set: PublishedSet, hubBase: string, files: Record<SplitName, HubFile>, pace: Pace): Promise<Source> {
  const otherwise = `Choose ${set.words.archive} from this computer instead.`;
  pace.begin('Downloading from Hugging Face', files.train.bytes + files.test.bytes);
  pace.totalImages = files.train.count + files.test.count;
  const notices: DataNotice[] = [];
  const blobs: { split: SplitName; name: string; url: string; blob: Blob }[] = [];
  for (const split of ['train', 'test'] as const) {
    const { path, bytes, sha256 } = files[split];
    const url = new URL(path, hubBase).href;
    const name = path.split('/').pop() ?? path;
    pace.stage = `Downloading ${name}`;
    try {
      const got = await download(
        { url, name, bytes, about: sha256 === undefined, maxBytes: bytes * 4 + (64 << 20), resumable: false, otherwise: orChoose(set) },
        pace,
      );
      blobs.push({ split, name, url, blob: got.blob });
      if (sha256 !== undefined && got.sha256 !== sha256) {
        const text = `${name} is not the file whose checksum was published (SHA-256 ${got.sha256}, expected ${sha256}). Its images are used because they are complete.`;
        notices.push({ kind: 'checksum', text });
      }
    } catch (error) {
      const first = blobs[0];
      if (first && error instanceof DataError && error.kind === 'network') await keepDownload(first.url, first.blob);
      throw error;
    }
  }
  const splits: Partial<Record<SplitName, Split>> = {};
  const bytes = pace.bytes;
  pace.begin(
    'Decoding images',
    blobs.reduce((n, b) => n + b.blob.size, 0),
  );
  for (const { split, name, url, blob } of blobs) {
    pace.stage = `Decoding ${name}`;
    try {
      const file = await openRows(set, blob, limitOf(set, split));
      const { count } = files[split];
      if (file.rows !== count) throw new DataError(name, `${count} images`, `${file.rows}`, otherwise);
      splits[split] = await file.decode(pace);
    } catch (error) {
      pace.check();
      for (const b of blobs) await dropPartial(b.url);
      throw asDataError(name, error);
    }
    await dropPartial(url);
  }
  const { train, test } = splits as Record<SplitName, Split>;
  return { train, test, bytes, notices, urls: [] };
}
