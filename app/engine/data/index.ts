export { detectSet, type FileSet } from './detect';
export { forget } from './forget';
export { loadFolder, loadFolderFiles, noFolder, recallFolder } from './folder/loader';
export { isPublished, loadPublished, loadPublishedFiles, PUBLISHED, type PublishedName, type PublishedOptions } from './published/loader';
export { firstShapes, loadShapes } from './shapes/loader';
export * from './types';
export { DATASET_CONFIGS, type DatasetConfig } from './config';
