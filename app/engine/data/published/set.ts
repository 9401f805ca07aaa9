import type { DatasetConfig } from '../config';

export type SplitName = 'train' | 'test';

/** A file of the hub. Size and sum are checked where they are known, but only its content decides whether it is used. */
export interface HubFile {
  readonly path: string;
  /** For progress; only about right where no `sha256` is known. */
  readonly bytes: number;
  readonly sha256?: string;
  readonly count: number;
}

/** What tells one published image set from another: its formats, its files, and the words for them. */
export interface PublishedSet {
  readonly config: DatasetConfig;
  /** Binary records: bytes before the pixels and which of them is the label; null where the set has no such version. */
  readonly record: { readonly head: number; readonly label: number } | null;
  /** The original files are IDX: images and labels apart. */
  readonly idx: boolean;
  /** Columns of the hub's Parquet files. */
  readonly columns: { readonly images: readonly string[]; readonly label: string };
  readonly hub: { readonly repository: string; readonly base: string; readonly files: Record<SplitName, HubFile> };
  /** Another set that is easily taken for this one, its record size, and the column that gives it away. */
  readonly twin: { readonly label: string; readonly record: number; readonly column: string } | null;
  readonly words: {
    /** What a file should be. */
    readonly file: string;
    /** All that can be chosen, as a sentence. */
    readonly ways: string;
    /** The file to choose where one is enough. */
    readonly archive: string;
    /** The batches of an archive. */
    readonly batches: string;
    /** What a record is. */
    readonly record: string;
    /** A name that tells the split, for a file that has another. */
    readonly named: string;
    readonly missing: Record<SplitName, { readonly file: string; readonly expected: string }>;
  };
}

export const pixelsOf = ({ channels, imageSize }: DatasetConfig): number => channels * imageSize * imageSize;
/** Bytes of one record of the binary version; of the site's own files where the set has none. */
export const recordBytes = ({ config, record }: PublishedSet): number => (record?.head ?? 1) + pixelsOf(config);
export const limitOf = ({ config }: PublishedSet, split: SplitName): number => (split === 'train' ? config.trainCount : config.testCount);

/** `data_batch_1.bin`, `train-images-idx3-ubyte` → train; `test_batch.bin`, `t10k-…` → test; null where the name tells neither. */
export function splitOf(name: string): SplitName | null {
  if (/test|valid|t10k/i.test(name)) return 'test';
  return /train|data_batch/i.test(name) ? 'train' : null;
}
