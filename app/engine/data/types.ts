import type { DatasetConfig } from './config';

/** Class indices: one byte each where that is enough. */
export type Labels = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
export const newLabels = (count: number, classes: number): Labels => (classes > 256 ? new Uint16Array(count) : new Uint8Array(count));

/** Images and labels of one split, in the order of their source. */
export interface Split {
  /** [count, C, H, W]: one byte per value, colour planes row by row. */
  images: Uint8Array<ArrayBuffer>;
  /** [count], class index. */
  labels: Labels;
  count: number;
}

/** Something the visitor should know about a data set that is nevertheless complete and in use. */
export interface DataNotice {
  /**
   * `quota`: the browser has no room to keep it; `storage`: it cannot keep files at all (private window, other tab);
   * `checksum`: not the file whose sum was published; `incomplete`: fewer images than the full data set; `skipped`: files that
   * could not be used.
   */
  kind: 'quota' | 'storage' | 'checksum' | 'incomplete' | 'skipped';
  text: string;
}

export interface LoadedDataset {
  config: DatasetConfig;
  train: Split;
  test: Split;
  origin: 'drawn' | 'cache' | 'site' | 'huggingface' | 'files';
  /** Bytes read to get it: downloaded, or read from files or the browser's storage. */
  bytes: number;
  /** True when the next visit finds it in the browser's storage. */
  cached: boolean;
  notices: DataNotice[];
}

/** `totalBytes` and `totalImages` are 0 while unknown; `bytesPerSecond` is an average over the last seconds. */
export type Progress = (p: {
  stage: string;
  bytes: number;
  totalBytes: number;
  bytesPerSecond: number;
  images: number;
  totalImages: number;
}) => void;

export interface LoadOptions {
  signal: AbortSignal;
  onProgress: Progress;
}

export interface NamedBlob {
  name: string;
  blob: Blob;
}

/** `data`: the file is not what it should be; `network`: it did not arrive; `quota`: no room; `cancelled`: asked to stop. */
export type DataErrorKind = 'data' | 'quota' | 'network' | 'cancelled';

/** A data set could not be loaded. The message names the file, what was expected and what was found. */
export class DataError extends Error {
  readonly file: string;
  readonly expected: string;
  readonly found: string;
  readonly kind: DataErrorKind;
  /** One sentence: what the visitor can do now. */
  readonly nextStep: string;

  constructor(file: string, expected: string, found: string, nextStep: string, kind: DataErrorKind = 'data', message?: string) {
    super(message ?? `${file}: expected ${expected}, found ${found}.`);
    this.name = 'DataError';
    this.file = file;
    this.expected = expected;
    this.found = found;
    this.kind = kind;
    this.nextStep = nextStep;
  }
}

export const cancelled = (file: string) =>
  new DataError(
    file,
    'the whole data set',
    'that loading was cancelled',
    'Load it again when you want it.',
    'cancelled',
    'Loading was cancelled.',
  );

/** The text of whatever was thrown. */
export const reasonOf = (error: unknown) => (error instanceof Error ? error.message || error.name : String(error));
