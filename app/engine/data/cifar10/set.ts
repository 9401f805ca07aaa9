import type { PublishedSet } from '../published/set';
import { cifar10 } from './config';

export const cifar10Set: PublishedSet = {
  config: cifar10,
  record: { head: 1, label: 0 },
  idx: false,
  columns: { images: ['img.bytes', 'image.bytes'], label: 'label' },
  hub: {
    repository: 'uoft-cs/cifar10',
    base: 'https://huggingface.co/datasets/uoft-cs/cifar10/resolve/main/',
    files: {
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
    },
  },
  twin: { label: 'CIFAR-100', record: 3074, column: 'fine_label' },
  words: {
    file: 'a CIFAR-10 file (.tar.gz, .zip, .bin or .parquet)',
    ways: 'Choose cifar-10-binary.tar.gz, its .bin files, or the two Parquet files of uoft-cs/cifar10.',
    archive: 'cifar-10-binary.tar.gz',
    batches: 'the batches data_batch_1.bin … test_batch.bin',
    record: 'label, then 32 × 32 pixels in three planes',
    named: 'a batch named data_batch_1.bin … data_batch_5.bin or test_batch.bin',
    missing: {
      train: { file: 'data_batch_1.bin', expected: 'the training images too (data_batch_1.bin … data_batch_5.bin)' },
      test: { file: 'test_batch.bin', expected: 'the test images too (test_batch.bin or test.parquet)' },
    },
  },
};
