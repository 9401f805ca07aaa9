import { isLesson, LESSONS, type LessonName } from './lessons';
import { anyLocks, isLockKey, NO_LOCKS, readLocks, writeLocks, type Locks } from './locks';
import { writeOverrides } from './overrides';
import { linkKey } from './settings';
import { linkParts } from './linkParts';
import { isCommandLine, parseCommandLine } from './commandLine';
import {
  ConfigError,
  DATASETS,
  GROUPS,
  defaultExperiment,
  differences,
  parseExperiment,
  patchExperiment,
  valueAt,
  type DeepPartial,
  type Experiment,
  type Section,
} from './experiment';

/** Version of the link format; a link of another version is read as far as its keys are known, and said to be so. */
export const LINK_VERSION = 1;
/** Longest hash accepted; a longer one is not a link of ours. */
const MAX_LENGTH = 2048;

/** A part of a link that was not applied. */
export interface LinkProblem {
  /** Key of the link as it was written. */
  readonly field: string;
  readonly message: string;
}
export interface ParsedLink {
  readonly experiment: Experiment;
  readonly problems: LinkProblem[];
  /** What the link takes away from the page. */
  readonly locks: Locks;
  /** The link asks for the type of a projector. */
  readonly projector: boolean;
  /** The lesson that the link opens; null for none. */
  readonly lesson: LessonName | null;
}

/** Name of a setting in links, and its path in an experiment. */
export interface LinkKey {
  readonly key: string;
  readonly path: string;
}
interface Key extends LinkKey {
  readonly read: (text: string) => unknown;
}

const readNumber = (text: string): unknown => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text);

/** Keys of the link: the field names themselves, `method` for `method.name`, `data` for the data set. */
const KEYS: readonly Key[] = [
  { key: linkKey('dataset'), path: 'dataset', read: (text) => text },
  ...GROUPS.flatMap((group) =>
    group.fields.map((field): Key => {
      const path = `${group.section}.${field.key}`;
      const key = linkKey(path);
      switch (field.kind) {
        case 'int':
        case 'float':
          return { key, path, read: readNumber };
        case 'flag':
          return { key, path, read: (text) => (text === 'true' ? true : text === 'false' ? false : text) };
        case 'choice':
          return { key, path, read: (text) => text };
        case 'set':
          return { key, path, read: (text) => (text === '' ? [] : text.split(',')) };
      }
    }),
  ),
  { key: 'overrides', path: 'method.overrides', read: (text) => text },
  ...(['imageSize', 'inChannels', 'numClasses'] as const).map((key): Key => ({ key, path: `model.${key}`, read: readNumber })),
];

/** All settings, in the order in which a link has them. */
export const LINK_KEYS: readonly LinkKey[] = KEYS;

const write = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

/** A setting as a part of a link, `lambda=0.1`; with nothing behind the sign where the data decide it, and for an empty list. */
export function linkPart(experiment: Experiment, { key, path }: LinkKey): string {
  if (path === 'method.overrides') {
    // Colons, brackets and commas are plain in a hash.
    const text = encodeURIComponent(writeOverrides(experiment.method.overrides)).replace(/%(2C|3A|5B|5D)/g, decodeURIComponent);
    return `${key}=${text}`;
  }
  const value = path === 'dataset' ? experiment.dataset : valueAt(experiment, path);
  return `${key}=${value === undefined ? '' : encodeURIComponent(write(value)).replaceAll('%2C', ',')}`;
}

/** The hash of an experiment, `#v=1&…`: only what differs from the defaults, in the order of the form. */
export function toHash(experiment: Experiment): string {
  const changed = new Set(differences(defaultExperiment(), experiment));
  const parts = [`v=${LINK_VERSION}`];
  for (const key of KEYS) {
    const empty = key.path === 'method.overrides' ? experiment.method.overrides.length === 0 : !changed.has(key.path);
    if (!empty && (key.path === 'dataset' || valueAt(experiment, key.path) !== undefined)) parts.push(linkPart(experiment, key));
  }
  return `#${parts.join('&')}`;
}

/** The full share link of an experiment on the given page address, with what it takes away from the page. */
export function toShareUrl(experiment: Experiment, pageUrl: string, locks: Locks = NO_LOCKS, projector = false): string {
  return pageUrl.replace(/#.*$/, '') + [toHash(experiment), ...writeLocks(locks), ...(projector ? ['projector=1'] : [])].join('&');
}

function patchOf(path: string, value: unknown): DeepPartial<Experiment> {
  if (path === 'dataset') return { dataset: value as Experiment['dataset'] };
  const [section, key] = path.split('.') as [Section, string];
  return { [section]: { [key]: value } };
}

/**
 * Reads a link or its hash. What is wrong is left at the default and listed; nothing is dropped without a word.
 * Keys are applied together, so that values that only fit one another (width and heads) do not depend on their order.
 */
export function parseShareUrl(link: string): ParsedLink {
  const problems: LinkProblem[] = [];
  const hash = linkParts(link).experiment;
  let experiment = defaultExperiment();
  let locks = NO_LOCKS;
  let projector = false;
  let lesson: LessonName | null = null;
  if (hash === '') return { experiment, problems, locks, projector, lesson };
  if (hash.length > MAX_LENGTH)
    return {
      experiment,
      locks,
      projector,
      lesson,
      problems: [{ field: 'link', message: `The link is ${hash.length} characters long; at most ${MAX_LENGTH} are read.` }],
    };
  const wanted = new Map<string, { key: string; value: unknown }>();
  const seen = new Set<string>();
  for (const part of hash.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const key = decode(at < 0 ? part : part.slice(0, at));
    const text = at < 0 ? undefined : decode(part.slice(at + 1));
    if (key === undefined || text === undefined) {
      problems.push({ field: part.slice(0, 40), message: `"${part.slice(0, 40)}" is not of the form name=value.` });
      continue;
    }
    if (seen.has(key)) {
      problems.push({ field: key, message: `${key} is given twice; the first one counts.` });
      continue;
    }
    seen.add(key);
    if (key === 'v') {
      if (text !== String(LINK_VERSION))
        problems.push({ field: 'v', message: `The link is of version "${text.slice(0, 20)}"; this page writes version ${LINK_VERSION}.` });
      continue;
    }
    if (isLockKey(key)) {
      locks = readLocks(locks, key, text, problems);
      continue;
    }
    if (key === 'lesson') {
      if (isLesson(text)) lesson = text;
      else
        problems.push({
          field: key,
          message: `There is no lesson "${text.slice(0, 40)}"; they are ${LESSONS.map((l) => l.name).join(', ')}.`,
        });
      continue;
    }
    if (key === 'projector') {
      projector = text === '1';
      if (!projector && text !== '0') problems.push({ field: key, message: `projector must be 1 or 0, not "${text.slice(0, 20)}".` });
      continue;
    }
    const known = KEYS.find((k) => k.key === key);
    if (!known) {
      problems.push({ field: key, message: `There is no setting "${key.slice(0, 40)}".` });
      continue;
    }
    const value = known.read(text);
    if (known.path === 'dataset' && !(DATASETS as readonly unknown[]).includes(value)) {
      problems.push({ field: key, message: `The data set must be one of ${DATASETS.join(', ')}, not "${text.slice(0, 40)}".` });
      continue;
    }
    wanted.set(known.path, { key, value });
  }
  // Fields that are wrong by themselves, or whose combination is, go one by one until the rest fits.
  for (;;) {
    try {
      let merged: Experiment = structuredClone(experiment);
      for (const [path, { value }] of wanted) merged = mergeUnchecked(merged, patchOf(path, value));
      experiment = parseExperiment(merged);
      return { experiment, problems, locks, projector, lesson: anyLocks(locks) ? null : lesson };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const path = wanted.has(error.field)
        ? error.field
        : ([...wanted.keys()].reverse().find((p) => related(error.field).includes(p)) ?? '');
      const culprit = wanted.get(path);
      if (!culprit) throw error;
      problems.push({ field: culprit.key, message: error.message });
      wanted.delete(path);
    }
  }
}

/** Fields whose combination `path` is checked with. */
function related(path: string): string[] {
  if (path === 'model.patchSize') return ['model.patchSize', 'model.imageSize'];
  if (path === 'model.numHeads') return ['model.numHeads', 'model.embedDim'];
  if (path === 'train.accumulate') return ['train.accumulate', 'train.batchSize'];
  // An element of a list: `method.targetModules.0`.
  return [path, path.split('.').slice(0, 2).join('.')];
}

function mergeUnchecked(base: Experiment, patch: DeepPartial<Experiment>): Experiment {
  const out = structuredClone(base) as unknown as Record<string, unknown>;
  for (const [key, value] of Object.entries(patch))
    out[key] = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...(out[key] as object), ...value } : value;
  return out as unknown as Experiment;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** For scripts: a link, a command of the reference, or a patch on top of `base`. @throws ConfigError for the first thing that is wrong in it. */
export function experimentFrom(input: DeepPartial<Experiment> | string, base: Experiment): Experiment {
  if (typeof input !== 'string') return patchExperiment(base, input);
  const text = input.trim();
  if (isCommandLine(text)) {
    const command = parseCommandLine(text);
    const wrong = command.problems[0];
    if (wrong) throw new ConfigError(wrong.field, wrong.message);
    return command.experiment;
  }
  if (!text.includes('#') && !text.startsWith('v='))
    throw new ConfigError(
      'experiment',
      `"${text.slice(0, 60)}" is not a share link: expected an address with #v=${LINK_VERSION}&… in it, or python main.py --dataset ….`,
    );
  const { experiment, problems } = parseShareUrl(text);
  const first = problems[0];
  if (first) throw new ConfigError(KEYS.find((k) => k.key === first.field)?.path ?? first.field, first.message);
  return experiment;
}
