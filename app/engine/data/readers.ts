export { detectSet, type FileSet } from './detect';
export { loadFolderFiles } from './folder/loader';
export { loadPublished, loadPublishedFiles, PUBLISHED } from './published/loader';
