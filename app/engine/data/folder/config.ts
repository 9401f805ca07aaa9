import type { DatasetConfig } from '../config';

/**
 * Images of the visitor's own, one folder per class. Before they are loaded nothing is known of them; `imageSize` is a divisor of every
 * size that they may get, so that a patch that divides it fits all of them.
 */
export const folder = {
  name: 'folder',
  label: 'Your images',
  about: 'A folder or .zip of your own, with one sub-folder per class.',
  synthetic: false,
  imageSize: 32,
  channels: 3,
  classes: [],
  trainCount: 0,
  testCount: 0,
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
  flip: true,
  downloadBytes: 0,
  source: 'this device',
  files: 'a folder, or a .zip, with one sub-folder of images per class',
} as const satisfies DatasetConfig;
