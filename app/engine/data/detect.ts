import { asDataError } from './failure';
import { FormatError } from './formats/formatError';
import { isIdx } from './formats/idx';
import { openParquet } from './formats/parquet';
import { gunzip, peek } from './formats/streams';
import { openZip } from './formats/zip';
import { Pace } from './pace';
import { isPublished } from './published/names';
import { baseName, isCompanion, sniff } from './published/sniff';
import { DataError, type LoadOptions, type NamedBlob } from './types';

/** Sets that can be made of files. */
export type FileSet = 'cifar10' | 'cifar100' | 'mnist' | 'folder';

const IMAGE = /\.(jpe?g|jfif|png|gif|webp|bmp|avif|ico|tiff?|heic)$/i;
const IMAGE_FOUND = /^a (JPEG|PNG|GIF) image$/;
const A_SET = 'a data set';
const WAYS = 'Choose the files of CIFAR-10, CIFAR-100 or MNIST, or a folder or .zip with one sub-folder of images per class.';

/**
 * Which data set files belong to, by what is in them and only then by their names. `hint` is the set that is chosen on the page: files that
 * could be several are taken for it. Rejects with a DataError where they are none: it says what is wrong with the first that cannot be read.
 */
export async function detectSet(files: readonly NamedBlob[], hint: string, o: LoadOptions): Promise<FileSet> {
  const pace = new Pace(o.signal, o.onProgress);
  let wrong: DataError | null = null;
  for (const file of files) {
    pace.check();
    try {
      const set = await ofFile(file, hint, pace);
      if (set) return set;
    } catch (error) {
      pace.check();
      wrong ??= asDataError(baseName(file.name), error);
    }
  }
  pace.check();
  // A published set's reader says itself what it wanted of them.
  if (isPublished(hint)) return hint;
  // Files that are no set at all are named by the folder's reader, too.
  if (hint === 'folder' && (!wrong || wrong.expected === A_SET)) return hint;
  throw wrong ?? new DataError(baseName(files[0]?.name ?? 'files'), A_SET, files.length > 0 ? 'nothing of one' : 'no files', WAYS);
}

/** By a name that says it. */
function byName(path: string): FileSet | null {
  if (/cifar-?_?100/i.test(path)) return 'cifar100';
  if (/cifar-?_?10(?!\d)|data_batch_\d|test_batch/i.test(path)) return 'cifar10';
  return /ubyte|mnist/i.test(path) ? 'mnist' : null;
}

async function ofFile({ name: path, blob }: NamedBlob, hint: string, pace: Pace): Promise<FileSet | null> {
  const name = baseName(path);
  if (isCompanion(name)) return null;
  const what = sniff(name, new Uint8Array(await blob.slice(0, 512).arrayBuffer()));
  switch (what.kind) {
    case 'companion':
      return null;
    case 'idx':
      return 'mnist';
    case 'bin':
      return byName(name) ?? ofBatch(blob.size);
    case 'parquet':
      return ofColumns(
        (await openParquet(blob, Infinity)).leaves.map((leaf) => leaf.path),
        hint,
      );
    case 'zip':
      return ofArchive(
        (await openZip(blob, { entries: 1e6, size: Infinity, total: Infinity })).map((entry) => entry.name),
        name,
      );
    case 'gzip':
      return byName(name) ?? (await ofPacked(gunzip(blob.stream(), pace)));
    case 'tar':
      return byName(name) ?? ofTarHead(new Uint8Array(await blob.slice(0, 512).arrayBuffer()));
    case 'foreign':
      if (IMAGE.test(name) || IMAGE_FOUND.test(what.found)) return 'folder';
      throw new FormatError(/\.parquet$/i.test(name) ? 'a Parquet file, which begins with "PAR1"' : A_SET, what.found, WAYS);
  }
}

const ofBatch = (bytes: number): FileSet => (bytes % 3073 !== 0 && bytes % 3074 === 0 ? 'cifar100' : 'cifar10');

function ofColumns(paths: readonly string[], hint: string): FileSet | null {
  if (paths.includes('fine_label')) return 'cifar100';
  if (paths.includes('img.bytes')) return 'cifar10';
  if (paths.includes('image.bytes')) return hint === 'cifar10' ? null : 'mnist';
  const names = `${paths.slice(0, 8).join(', ')}${paths.length > 8 ? ', …' : ''}`;
  throw new FormatError('the columns img or image {bytes, path} and label of CIFAR-10, CIFAR-100 or MNIST', names || 'no columns', WAYS);
}

function ofArchive(names: readonly string[], archive: string): FileSet | null {
  const sets = names.map((name) => (IMAGE.test(name) ? 'folder' : /\.bin$|ubyte/i.test(name) ? byName(name) : null));
  return sets.find((set) => set !== null && set !== 'folder') ?? (sets.includes('folder') ? 'folder' : byName(archive));
}

async function ofPacked(chunks: AsyncGenerator<Uint8Array>): Promise<FileSet | null> {
  const { head } = await peek(chunks, 512);
  await chunks.return(undefined);
  return isIdx(head) ? 'mnist' : ofTarHead(head);
}

/** By the name of the first file. */
const ofTarHead = (head: Uint8Array): FileSet | null => byName(new TextDecoder('latin1').decode(head.subarray(0, 100)));
