import { download, dropPartial, keepDownload } from '../download';
import { asDataError } from '../failure';
import type { Pace } from '../pace';
import { DataError, type DataNotice, type Split } from '../types';
import { LIMIT, type SplitName } from './batch';
import { openRows } from './rows';
import type { Source } from './site';

/** A published file: its size and sum are checked, but only its content decides whether it is used. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly count: number;
}

export const HUB = 'https://huggingface.co/datasets/uoft-cs/cifar10/resolve/main/';

export const HUB_FILES: Record<SplitName, HubFile> = {
  train: {
    path: 'plain_text/train-00000-of-00001.parquet',
    bytes: 119_705_255,
    sha256: '8428b53a88a11ac374111006708df51469e315a22ac6d66470afd9c78d2ae883',
    count: 50_000,
  },
  test: {
    path: 'plain_text/test-00000-of-00001.parquet',
    bytes: 23_940_850,
    sha256: '841389e6f2d64f28bf17310e430aebac20ec3ba611a3c5e231dc93c645ce84de',
    count: 10_000,
  },
};

const FILES = 'Choose cifar-10-binary.tar.gz from this computer instead.';

/**
 * Downloads the two Parquet files of the Hugging Face hub, each with one plain GET (other requests fail at its
 * redirects), and decodes them. Other counts than published are a DataError; another checksum is a notice.
 */
export async function loadFromHub(hubBase: string, files: Record<SplitName, HubFile>, pace: Pace): Promise<Source> {
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
      const got = await download({ url, name, bytes, maxBytes: bytes * 4 + (64 << 20), resumable: false }, pace);
      blobs.push({ split, name, url, blob: got.blob });
      if (got.sha256 !== sha256) {
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
      const file = await openRows(blob, LIMIT[split]);
      const { count } = files[split];
      if (file.rows !== count) throw new DataError(name, `${count} images`, `${file.rows}`, FILES);
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
