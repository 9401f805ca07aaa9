import type { DatasetConfig } from '../config';

export const shapes = {
  name: 'shapes',
  label: 'Shapes',
  about: 'Ten drawn shapes, 32 × 32, synthetic.',
  synthetic: true,
  imageSize: 32,
  channels: 3,
  classes: ['circle', 'square', 'triangle', 'pentagon', 'star', 'cross', 'ring', 'crescent', 'heart', 'arrow'],
  trainCount: 20_000,
  testCount: 2_000,
  mean: [0.45, 0.425, 0.462],
  std: [0.267, 0.201, 0.176],
  flip: true,
  downloadBytes: 0,
  source: 'drawn in this browser',
  files: '',
} as const satisfies DatasetConfig;
