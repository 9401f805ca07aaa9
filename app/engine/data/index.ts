export { forget } from './forget';
export { loadFolder, noFolder, recallFolder } from './folder/kept';
export { isPublished, type PublishedName } from './published/names';
export type { PublishedOptions } from './published/loader';
export { firstShapes, loadShapes } from './shapes/loader';
export * from './types';
export { DATASET_CONFIGS, type DatasetConfig } from './config';

/** What reads files and downloads: a fifth of the worker, fetched with the first set that is not drawn. */
export const readers = (): Promise<typeof import('./readers')> => import('./readers');
