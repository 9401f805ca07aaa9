import type { DatasetName } from '../../protocol/experiment';
import type { DatasetInfo } from '../../protocol/messages';

export interface DataProgress {
  readonly name: DatasetName;
  readonly stage: string;
  readonly bytes: number;
  /** 0 when the source does not say. */
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  readonly images: number;
  readonly totalImages: number;
}

/** Training images of a data set as RGBA pixels, for the thumbnails. */
export interface Samples {
  readonly width: number;
  readonly height: number;
  readonly images: readonly Uint8ClampedArray[];
  readonly labels: readonly number[];
}

export interface DataSlice {
  /** The set last loaded; it stays in use when another fails to load. */
  dataset: DatasetInfo | null;
  loaded: Readonly<Partial<Record<DatasetName, DatasetInfo>>>;
  samples: Readonly<Partial<Record<DatasetName, Samples | undefined>>>;
  /** Null when nothing is being loaded. */
  dataProgress: DataProgress | null;
}

export const dataSlice = (): DataSlice => ({ dataset: null, loaded: {}, samples: {}, dataProgress: null });
