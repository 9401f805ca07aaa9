import type { DatasetConfig } from '../config';

export const mnist = {
  name: 'mnist',
  label: 'MNIST',
  about: '70 000 handwritten digits, 28 × 28 pixels, grey.',
  synthetic: false,
  imageSize: 28,
  channels: 1,
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  trainCount: 60_000,
  testCount: 10_000,
  mean: [0.1307],
  std: [0.3081],
  flip: false,
  downloadBytes: 15_561_616 + 2_595_890,
  source: 'huggingface.co/datasets/ylecun/mnist',
  files: 'the four IDX files (…-ubyte or .gz), a .zip or .tar of them, or .parquet files',
} as const satisfies DatasetConfig;
