import { DataError } from '../types';
import { MAX_CLASSES } from './size';

/** An image somewhere: in a dropped folder, or in an archive. */
export interface ImageSource {
  /** With its folders: `flowers/train/daisy/1.jpg`. */
  readonly path: string;
  /** Bytes, packed or not; for progress. */
  readonly size: number;
  open(): Promise<Blob>;
}
export interface Labelled {
  readonly source: ImageSource;
  readonly label: number;
}
export interface Arranged {
  readonly classes: readonly string[];
  readonly train: readonly Labelled[];
  readonly test: readonly Labelled[];
  /** What was left out, one sentence each. */
  readonly remarks: readonly string[];
}

/** Share of a class that becomes test images where the folder does not say which are. */
const TEST_SHARE = 0.15;
const SEED = 20_251_104;
const LAYOUT =
  'Put the images of each class into a folder of its own, named after the class, and drop the folder around them or a .zip of it.';

const HIDDEN = /^(\..*|__macosx|@eadir|thumbs\.db|desktop\.ini)$/i;
/** What lies beside images in data sets, and is none. */
const OTHER =
  /\.(txt|csv|tsv|jsonl?|xml|ya?ml|md|html?|pdf|docx?|xlsx?|mat|np[yz]|pkl|h5|pyc?|ipynb|log|ini|cfg|db|zip|tar|t?gz|7z|rar|mp4|mov|avi|mkv|mp3|wav|parquet|bin|safetensors|pt|pth|url|lnk|exe|sh|bat)$/i;
const TRAIN = /^(train|training)$/i;
const TEST = /^(test|testing|val|valid|validation)$/i;

const partsOf = (path: string): string[] => path.split(/[/\\]/).filter((part) => part !== '' && part !== '.');

/** True for files that could be images, judged by their names. */
export function isCandidate(path: string): boolean {
  const parts = partsOf(path);
  return parts.length > 0 && !parts.some((part) => HIDDEN.test(part)) && !OTHER.test(parts.at(-1) ?? '');
}

const wrong = (name: string, expected: string, found: string) => new DataError(name, expected, found, LAYOUT);
const natural = new Intl.Collator('en', { numeric: true }).compare;
const labelOf = (name: string): string =>
  Array.from(name)
    .filter((c) => c >= ' ')
    .join('')
    .trim()
    .slice(0, 100) || 'unnamed';

/** Repeatable random numbers in [0, 1): a counter and two multiplications (the mixer of splitmix32). */
function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x9e3779b9) >>> 0;
    let t = Math.imul(s ^ (s >>> 16), 0x21f0aaad);
    t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
    return ((t ^ (t >>> 15)) >>> 0) / 2 ** 32;
  };
}
function shuffle<T>(list: T[], next: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [list[i], list[j]] = [list[j] as T, list[i] as T];
  }
  return list;
}

interface Placed {
  readonly source: ImageSource;
  /** Folders between the root and the file. */
  readonly folders: readonly string[];
}

/**
 * Sorts images into classes and splits by their folders. Folders that wrap everything are taken off; `train` and `test` (or `val`,
 * `valid`, `validation`) are splits where they hold class folders; else a seeded 15 % of each class is for testing, the same
 * whatever the order in which the files were listed. The class is the first folder below. Both lists come shuffled.
 * @throws DataError naming `name`
 */
export function arrange(name: string, sources: readonly ImageSource[]): Arranged {
  const placed = sources
    .filter(({ path }) => isCandidate(path))
    .map((source): Placed => ({ source, folders: partsOf(source.path).slice(0, -1) }));
  if (placed.length === 0) throw wrong(name, 'images in one sub-folder per class', sources.length > 0 ? 'no images' : 'nothing');
  const rooted = unwrap(placed);
  const remarks: string[] = [];
  const { train, test, rest } = bySplit(rooted);
  const inClass = (list: readonly Placed[]) => list.filter(({ folders }) => folders.length > 0);
  const learn = inClass(train);
  const outside = rooted.length - learn.length - inClass(test).length - rest.length;
  if (rest.length > 0) remarks.push(`${images(rest.length)} outside the train and test folders were left out.`);
  if (outside > 0 && learn.length > 0) remarks.push(`${images(outside)} outside the class folders were left out.`);
  const names = [...new Set(learn.map(({ folders }) => folders[0] as string))].sort(natural);
  if (names.length < 2) {
    const found =
      names.length === 1 ? `one folder with images, "${labelOf(names[0] as string)}"` : `${images(placed.length)} without a folder`;
    throw wrong(name, 'at least two sub-folders with images, one per class', found);
  }
  if (names.length > MAX_CLASSES) throw wrong(name, `at most ${MAX_CLASSES} classes`, `${names.length} sub-folders with images`);
  const index = new Map(names.map((folder, i) => [folder, i]));
  const labelled = (list: readonly Placed[]) =>
    list.flatMap(({ source, folders }): Labelled[] => {
      const label = index.get(folders[0] as string);
      return label === undefined ? [] : [{ source, label }];
    });
  const next = random(SEED);
  const held = inClass(test);
  if (held.length > 0) {
    const known = labelled(held);
    if (known.length < held.length)
      remarks.push(`${images(held.length - known.length)} of classes that have no training images were left out.`);
    if (known.length > 0)
      return { classes: names.map(labelOf), train: shuffle(labelled(learn), next), test: shuffle(known, next), remarks };
  }
  return { classes: names.map(labelOf), ...divide(labelled(learn), names.length, next), remarks };
}

const images = (n: number): string => (n === 1 ? '1 image' : `${n} images`);

/** Takes off folders that hold everything, down to where the ways part. */
function unwrap(placed: readonly Placed[]): readonly Placed[] {
  let list = placed;
  for (;;) {
    const first = list[0]?.folders[0];
    const wraps =
      first !== undefined && list.every(({ folders }) => folders[0] === first) && list.some(({ folders }) => folders.length > 1);
    if (!wraps) return list;
    list = list.map(({ source, folders }) => ({ source, folders: folders.slice(1) }));
  }
}

/** The splits, without their folders. A folder named `train` that holds images itself is a class like any other. */
function bySplit(list: readonly Placed[]): { train: readonly Placed[]; test: readonly Placed[]; rest: readonly Placed[] } {
  const take = (pattern: RegExp) => list.filter(({ folders }) => folders.length > 1 && pattern.test(folders[0] as string));
  const inner = ({ source, folders }: Placed): Placed => ({ source, folders: folders.slice(1) });
  const train = take(TRAIN);
  if (train.length === 0) return { train: list, test: [], rest: [] };
  const test = take(TEST);
  const used = new Set([...train, ...test]);
  return { train: train.map(inner), test: test.map(inner), rest: list.filter((image) => !used.has(image)) };
}

/** A class of one image is for training only. */
function divide(list: readonly Labelled[], classes: number, next: () => number): { train: Labelled[]; test: Labelled[] } {
  const byClass = Array.from({ length: classes }, (): Labelled[] => []);
  for (const image of list) byClass[image.label]?.push(image);
  const [train, test]: [Labelled[], Labelled[]] = [[], []];
  for (const mine of byClass) {
    shuffle(
      mine.sort((a, b) => natural(a.source.path, b.source.path)),
      next,
    );
    const held = mine.length < 2 ? 0 : Math.max(1, Math.round(mine.length * TEST_SHARE));
    test.push(...mine.slice(0, held));
    train.push(...mine.slice(held));
  }
  return { train: shuffle(train, next), test: shuffle(test, next) };
}
