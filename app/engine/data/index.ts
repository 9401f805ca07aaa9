export { loadCifar10, loadCifar10Files, type Cifar10Options } from './cifar10/loader';
export { forget } from './forget';
export { firstShapes, loadShapes } from './shapes/loader';
export * from './types';
export { DATASET_CONFIGS, type DatasetConfig } from './config';
