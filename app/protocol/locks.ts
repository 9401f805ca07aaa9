import { ConfigError } from './configError';
import { valueAt, type Experiment } from './experiment';
import { FIELD_PATHS, labelOf, linkKey } from './settings';

/** Parts of the page that are no setting; a link can hide them, and not lock them. */
export const PARTS = [
  { key: 'presets', label: 'Presets' },
  { key: 'command', label: 'Paste a command' },
  { key: 'weights', label: 'Weights and kept runs' },
  { key: 'share', label: 'Share' },
  { key: 'transport', label: 'Single steps, reset, run n steps' },
  { key: 'compare', label: 'Compare' },
  { key: 'curves', label: 'Loss and accuracy' },
  { key: 'matrix', label: 'Selected matrix' },
  { key: 'truncation', label: 'Truncation' },
  { key: 'formula', label: 'The formula with its figures' },
] as const;
export type Part = (typeof PARTS)[number]['key'];

/** A setting that a link can lock or hide: its key there, its path in an experiment, its name on the page. */
export interface Lockable {
  readonly key: string;
  readonly path: string;
  readonly label: string;
}

/** All settings, in the order of the form. */
export const LOCKABLE: readonly Lockable[] = [
  ...FIELD_PATHS,
  ...['model.imageSize', 'model.inChannels', 'model.numClasses', 'method.overrides'],
].map((path) => ({ key: linkKey(path), path, label: labelOf(path) }));

/** What a teacher's link takes away, by the keys of the link. All lists empty and `only` null: nothing. */
export interface Locks {
  /** Shown as plain figures. */
  readonly lock: readonly string[];
  /** Not shown, and as they are. */
  readonly hide: readonly string[];
  /** Where given, every setting that is not named here, in `lock` or in `hide` is hidden. */
  readonly only: readonly string[] | null;
}
export const NO_LOCKS: Locks = { lock: [], hide: [], only: null };
export const anyLocks = ({ lock, hide, only }: Locks): boolean => lock.length > 0 || hide.length > 0 || only !== null;

export type Standing = 'free' | 'locked' | 'hidden';

/** Ways around a locked rank or pull: what one matrix gets of its own. */
const IMPLY_OVERRIDES = ['targetRank', 'lambda', 'targetModules', 'loraRank'];
/** What `only` takes away along with the settings, unless it names them: each would bring settings of its own. */
const ONLY_HIDES: readonly Part[] = ['presets', 'command', 'weights', 'compare'];

const keyOf = new Map(LOCKABLE.map(({ path, key }) => [path, key]));

/** How a setting stands under the locks, by its path, `method.lambda`. */
export function standing(locks: Locks, path: string): Standing {
  // A difference of overrides by their values alone has a name of its own.
  const key = keyOf.get(path === 'method.overrideValues' ? 'method.overrides' : path);
  if (key === undefined || !anyLocks(locks)) return 'free';
  const { lock, hide, only } = locks;
  if (hide.includes(key)) return 'hidden';
  if (lock.includes(key)) return 'locked';
  if (only?.includes(key)) return 'free';
  if (only) return 'hidden';
  if (key === 'overrides' && IMPLY_OVERRIDES.some((other) => lock.includes(other) || hide.includes(other))) return 'locked';
  return 'free';
}

/** Whether a part of the page is shown. */
export function partShown({ hide, only }: Locks, part: Part): boolean {
  if (hide.includes(part)) return false;
  return only === null || only.includes(part) || !ONLY_HIDES.includes(part);
}

/** A change of what the page's link has locked. `field` is its path. */
export class LockError extends ConfigError {
  constructor(field: string, message: string) {
    super(field, message);
    this.name = 'LockError';
  }
}

/** Paths in which `next` differs from `from` where the locks forbid it. */
export function lockedChanges(locks: Locks, from: Experiment, next: Experiment): string[] {
  if (!anyLocks(locks)) return [];
  return LOCKABLE.filter(({ path }) => standing(locks, path) !== 'free' && read(from, path) !== read(next, path)).map(({ path }) => path);
}
const read = (experiment: Experiment, path: string): string =>
  JSON.stringify(path === 'dataset' ? experiment.dataset : valueAt(experiment, path)) ?? '';

/**
 * The one rule of locks: no experiment that changes a locked or hidden setting may be shown or run.
 * @throws LockError naming the settings
 */
export function requireUnlocked(locks: Locks, from: Experiment, next: Experiment): void {
  const [first, ...more] = lockedChanges(locks, from, next);
  if (first === undefined) return;
  const names = [first, ...more.slice(0, 3)].map(labelOf).join(', ');
  const rest = more.length > 3 ? ` and ${more.length - 3} more` : '';
  throw new LockError(first, `The link of this page locks ${names}${rest}; nothing was changed.`);
}

/** A part of a link that was not applied. */
interface Problem {
  readonly field: string;
  readonly message: string;
}
const LISTS = ['lock', 'hide', 'only'] as const;
type List = (typeof LISTS)[number];
export const isLockKey = (key: string): key is List => (LISTS as readonly string[]).includes(key);

/** Reads one of the lists of a link; names that are no setting are told and left out. */
export function readLocks(locks: Locks, key: List, text: string, problems: Problem[]): Locks {
  const names: string[] = [];
  for (const name of text.split(',').filter(Boolean)) {
    const part = PARTS.some((p) => p.key === name);
    if (part && key === 'lock') problems.push({ field: key, message: `"${name}" can be hidden, not locked.` });
    else if (part || LOCKABLE.some((l) => l.key === name)) {
      if (!names.includes(name)) names.push(name);
    } else
      problems.push({
        field: key,
        message: `There is no setting "${name.slice(0, 40)}" to ${key === 'only' ? 'leave free' : key}; a name is one of the link's, such as lambda, lr or data.`,
      });
  }
  // Where no name of `only` is known, everything is hidden: rather too much than what was meant to be taken away.
  if (names.length === 0 && key !== 'only') return locks;
  return { ...locks, [key]: names };
}

/** The locks as parts of a link: `lock=lr,steps`, … */
export function writeLocks({ lock, hide, only }: Locks): string[] {
  return [
    ...(lock.length > 0 ? [`lock=${lock.join(',')}`] : []),
    ...(hide.length > 0 ? [`hide=${hide.join(',')}`] : []),
    ...(only ? [`only=${only.join(',')}`] : []),
  ];
}
