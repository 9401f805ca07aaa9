import { cifar10 } from './cifar10/config';
import { cifar100 } from './cifar100/config';
import { folder } from './folder/config';
import { mnist } from './mnist/config';
import { shapes } from './shapes/config';

/** What the page says of a data set before it is loaded. Pixel statistics are those of the training split, per channel, of values in [0, 1]. */
export interface DatasetConfig {
  readonly name: string;
  readonly label: string;
  /** Shown wherever the data set is named. */
  readonly about: string;
  readonly synthetic: boolean;
  readonly imageSize: number;
  readonly channels: number;
  readonly classes: readonly string[];
  readonly trainCount: number;
  readonly testCount: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Whether a mirrored image still shows its class; digits do not. */
  readonly flip: boolean;
  /** Bytes to download, 0 when nothing is. */
  readonly downloadBytes: number;
  readonly source: string;
  /** Files to choose or drop, in words; empty where none can be. */
  readonly files: string;
}

/** All data sets, in the order in which the page offers them. */
export const DATASET_CONFIGS = { shapes, cifar10, cifar100, mnist, folder } as const satisfies Record<string, DatasetConfig>;
