import type { PublishedSet } from '../published/set';
import { cifar100 } from './config';

export const cifar100Set: PublishedSet = {
  config: cifar100,
  // The coarse label comes first; the fine one is the class.
  record: { head: 2, label: 1 },
  idx: false,
  columns: { images: ['img.bytes', 'image.bytes'], label: 'fine_label' },
  hub: {
    repository: 'uoft-cs/cifar100',
    base: 'https://huggingface.co/datasets/uoft-cs/cifar100/resolve/main/',
    files: {
      train: { path: 'cifar100/train-00000-of-00001.parquet', bytes: 118_500_000, count: 50_000 },
      test: { path: 'cifar100/test-00000-of-00001.parquet', bytes: 23_791_368, count: 10_000 },
    },
  },
  twin: { label: 'CIFAR-10', record: 3073, column: 'label' },
  words: {
    file: 'a CIFAR-100 file (.tar.gz, .zip, .bin or .parquet)',
    ways: 'Choose cifar-100-binary.tar.gz, its train.bin and test.bin, or the two Parquet files of uoft-cs/cifar100.',
    archive: 'cifar-100-binary.tar.gz',
    batches: 'train.bin and test.bin',
    record: 'coarse label, fine label, then 32 × 32 pixels in three planes',
    named: 'a file named train.bin or test.bin',
    missing: {
      train: { file: 'train.bin', expected: 'the training images too (train.bin or train.parquet)' },
      test: { file: 'test.bin', expected: 'the test images too (test.bin or test.parquet)' },
    },
  },
};
