import { differences, type Experiment } from './experiment';
import { isLockKey } from './locks';
import { linkKey } from './settings';
import { LINK_KEYS, linkPart, parseShareUrl, type LinkProblem } from './shareUrl';

/** A setting and its values as they stand in a link, and as a visitor types them: `0, 0.1, 1`. */
export interface AxisText {
  readonly path: string;
  readonly values: string;
}

/** What a link compares, beside the experiment that it holds. */
export type CompareLink =
  | { readonly tab: 'ab'; readonly b: Experiment }
  | { readonly tab: 'grid'; readonly across: AxisText; readonly up: AxisText; readonly seeds: string };

const words = (list: string): string[] =>
  list
    .split(/[,;\n]+/)
    .map((word) => word.trim())
    .filter(Boolean);

/** A and B of a pair as the last parts of a link to A: `compare=ab&b.lambda=0`, one for each setting in which they differ. */
export function pairParts(a: Experiment, b: Experiment): string[] {
  const paths = new Set(differences(a, b).map((path) => (path === 'method.overrideValues' ? 'method.overrides' : path)));
  return ['compare=ab', ...LINK_KEYS.filter(({ path }) => paths.has(path)).map((key) => `b.${linkPart(b, key)}`)];
}

/** A grid as the last parts of a link to what its runs share: `compare=grid&up=lambda:0,1&across=targetRank:0.1,0.2&seeds=1`. */
export function gridParts({ across, up, seeds }: Omit<CompareLink & { tab: 'grid' }, 'tab'>): string[] {
  const list = (text: string) => words(text).map(encodeURIComponent).join(',');
  const axis = ({ path, values }: AxisText) => `${linkKey(path)}:${list(values)}`;
  return ['compare=grid', `up=${axis(up)}`, `across=${axis(across)}`, `seeds=${list(seeds)}`];
}

/** What a link compares. `base` is the link's own experiment as text, `parts` are those that speak of comparing. Wrong parts are told. */
export function readCompareLink(
  base: string,
  parts: readonly string[],
): { readonly link: CompareLink | null; readonly problems: readonly LinkProblem[] } {
  const problems: LinkProblem[] = [];
  const given = new Map<string, string>();
  for (const part of parts) {
    const at = part.indexOf('=');
    const key = part.slice(0, at);
    if (given.has(key)) problems.push({ field: key, message: `${key} is given twice; the first one counts.` });
    else given.set(key, part.slice(at + 1));
  }
  const tab = given.get('compare') ?? '';
  if (tab === 'ab') {
    for (const key of ['across', 'up', 'seeds'])
      if (given.has(key)) problems.push({ field: key, message: `${key} belongs to a grid; this link compares A and B.` });
    return { link: { tab, b: sideB(base, given, problems) }, problems };
  }
  if (tab !== 'grid') {
    problems.push({ field: 'compare', message: `compare must be ab or grid, not "${tab.slice(0, 40)}".` });
    return { link: null, problems };
  }
  for (const key of given.keys())
    if (key.startsWith('b.')) problems.push({ field: key, message: `${key.slice(0, 40)} belongs to A and B; this link opens a grid.` });
  const [across, up] = (['across', 'up'] as const).map((key) => readAxis(key, given.get(key), problems));
  const seeds = decoded(given.get('seeds') ?? '');
  return { link: across && up ? { tab, across, up, seeds: words(seeds).join(', ') } : null, problems };
}

/** A's settings with those in the place of its own that are given for B. */
function sideB(base: string, given: ReadonlyMap<string, string>, problems: LinkProblem[]): Experiment {
  const own = new Map([...given].filter(([key]) => key.startsWith('b.')).map(([key, text]) => [key.slice(2), text]));
  const shared = base.split('&').filter((part) => {
    const key = part.split('=')[0]!;
    return !own.has(key) && !isLockKey(key) && key !== 'lesson' && key !== 'projector';
  });
  // Nothing at all stands for what the data decide.
  const set = [...own].filter(([key, text]) => text !== '' || key === 'targetModules').map(([key, text]) => `${key}=${text}`);
  const { experiment, problems: wrong } = parseShareUrl([...shared, ...set].join('&'));
  // What is wrong with A is told with A.
  for (const { field, message } of wrong) if (own.has(field) || field === 'link') problems.push({ field: `b.${field}`, message });
  return experiment;
}

function readAxis(key: 'across' | 'up', text: string | undefined, problems: LinkProblem[]): AxisText | null {
  const [name = '', values = ''] = text?.match(/^([^:]*):(.*)$/s)?.slice(1) ?? [];
  const path = LINK_KEYS.find((k) => k.key === name)?.path;
  if (path !== undefined && values !== '') return { path, values: words(decoded(values)).join(', ') };
  const expected = `expected a setting and its values, such as ${key}=lambda:0,0.1,1`;
  problems.push({
    field: key,
    message:
      text === undefined
        ? `The grid has no "${key}"; ${expected}.`
        : name !== '' && path === undefined
          ? `There is no setting "${name.slice(0, 40)}"; ${expected}.`
          : `"${text.slice(0, 40)}" names no values; ${expected}.`,
  });
  return null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
