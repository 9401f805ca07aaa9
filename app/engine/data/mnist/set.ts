import type { PublishedSet } from '../published/set';
import { mnist } from './config';

export const mnistSet: PublishedSet = {
  config: mnist,
  record: null,
  idx: true,
  columns: { images: ['image.bytes', 'img.bytes'], label: 'label' },
  hub: {
    repository: 'ylecun/mnist',
    base: 'https://huggingface.co/datasets/ylecun/mnist/resolve/main/',
    files: {
      train: { path: 'mnist/train-00000-of-00001.parquet', bytes: 15_561_616, count: 60_000 },
      test: { path: 'mnist/test-00000-of-00001.parquet', bytes: 2_595_890, count: 10_000 },
    },
  },
  twin: null,
  words: {
    file: 'an MNIST file (IDX, .gz, .zip, .tar or .parquet)',
    ways: 'Choose the four files train-images-idx3-ubyte.gz … t10k-labels-idx1-ubyte.gz, or the two Parquet files of ylecun/mnist.',
    archive: 'the four files train-images-idx3-ubyte.gz … t10k-labels-idx1-ubyte.gz',
    batches: 'the files train-images-idx3-ubyte … t10k-labels-idx1-ubyte',
    record: 'label, then 28 × 28 pixels',
    named: 'a name such as train-images-idx3-ubyte or t10k-labels-idx1-ubyte',
    missing: {
      train: { file: 'train-images-idx3-ubyte', expected: 'the training images too (train-images-idx3-ubyte and train-labels-idx1-ubyte)' },
      test: { file: 't10k-images-idx3-ubyte', expected: 'the test images too (t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte)' },
    },
  },
};
