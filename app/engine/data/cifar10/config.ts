import type { DatasetConfig } from '../config';

export const cifar10 = {
  name: 'cifar10',
  label: 'CIFAR-10',
  about: '60 000 photos of 32 × 32 pixels in ten classes.',
  synthetic: false,
  imageSize: 32,
  channels: 3,
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  trainCount: 50_000,
  testCount: 10_000,
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.247, 0.2435, 0.2616],
  flip: true,
  downloadBytes: 119_705_255 + 23_940_850,
  source: 'huggingface.co/datasets/uoft-cs/cifar10',
  files: 'cifar-10-binary.tar.gz, its .bin batches, or .parquet files',
} as const satisfies DatasetConfig;
