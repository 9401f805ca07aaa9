import { hasLambda, methodUses } from '../../../protocol/compare';
import { ConfigError, fieldAt, patchExperiment, valueAt, type Experiment } from '../../../protocol/experiment';
import { setting } from '../../../protocol/numbers';
import { choiceName, labelOf, techniqueName } from '../../../protocol/settings';
import { readValue, withValue } from '../values';

export type GridValue = number | string | boolean;

/** A setting that a grid varies. */
export interface GridAxis {
  /** Path of a number, choice or flag, or `dataset`. */
  readonly path: string;
  readonly values: readonly GridValue[];
}

/** A grid of runs: every value of `x` with every value of `y`, once for each seed. */
export interface GridDefinition {
  readonly id: string;
  /** Made, milliseconds since 1970. */
  readonly date: number;
  /** What all runs share. */
  readonly base: Experiment;
  readonly x: GridAxis;
  readonly y: GridAxis;
  readonly seeds: readonly number[];
}

/** One run of a grid. */
export interface GridCell {
  /** Its place in the order of the runs, from 0. */
  readonly index: number;
  /** Indices of its values. */
  readonly x: number;
  readonly y: number;
  readonly seed: number;
  readonly experiment: Experiment;
}

/** What a visitor types. */
export interface GridText {
  readonly x: { readonly path: string; readonly values: string };
  readonly y: { readonly path: string; readonly values: string };
  readonly seeds: string;
  readonly steps: string;
}

/** Runs of a grid at most. */
export const MAX_RUNS = 400;

/** Can be varied by a grid: what has one value of a text. */
export const canVary = (path: string): boolean =>
  path === 'dataset' || ['int', 'float', 'choice', 'flag'].includes(fieldAt(path)?.kind ?? '');

/** A message that belongs to one part of the form: `x`, `y`, `seeds` or `steps`. */
export class GridError extends Error {
  override name = 'GridError';
  constructor(
    readonly part: keyof GridText,
    message: string,
  ) {
    super(message);
  }
}

const listOf = (text: string): string[] =>
  text
    .split(/[,;\n]+/)
    .map((word) => word.trim())
    .filter(Boolean);

/** The values of a list such as `0, 0.001, 0.01`, each checked against the setting. @throws GridError */
function axisOf(part: 'x' | 'y', base: Experiment, { path, values: text }: GridText['x']): GridAxis {
  if (!canVary(path)) throw new GridError(part, `${labelOf(path)} cannot be varied in a grid.`);
  const words = listOf(text);
  const name = labelOf(path);
  if (words.length === 0) throw new GridError(part, `${name} needs at least one value; several are separated by commas: 0, 0.001, 0.01.`);
  const values: GridValue[] = [];
  for (const word of words) {
    try {
      const value = readValue(path, word) as GridValue;
      if (!related(path)) withValue(base, path, word);
      if (values.includes(value)) throw new GridError(part, `${name} has ${word} twice.`);
      values.push(value);
    } catch (error) {
      if (error instanceof ConfigError) throw new GridError(part, error.message);
      throw error;
    }
  }
  // In their order, so that the map has low at the left and at the bottom.
  if (values.every((value) => typeof value === 'number')) values.sort((p, q) => Number(p) - Number(q));
  return { path, values };
}

/** Settings that fit or not by the value of another, so that only the whole experiment can be checked. */
const related = (path: string): boolean =>
  ['model.patchSize', 'model.embedDim', 'model.numHeads', 'train.batchSize', 'train.accumulate'].includes(path);

/** `base` with one value of each axis. @throws ConfigError */
function cellExperiment({ base, x, y }: Pick<GridDefinition, 'base' | 'x' | 'y'>, xi: number, yi: number, seed: number): Experiment {
  let patch: Record<string, Record<string, unknown> | string> = { train: { seed } };
  for (const [{ path, values }, i] of [
    [x, xi],
    [y, yi],
  ] as const) {
    if (path === 'dataset') patch = { ...patch, dataset: values[i] as string };
    else {
      const [section, key] = path.split('.') as [string, string];
      patch = { ...patch, [section]: { ...(patch[section] as object), [key]: values[i] } };
    }
  }
  return patchExperiment(base, patch);
}

/** A grid from what was typed; every run of it is valid. @throws GridError naming the part that is wrong and what was expected */
export function makeGrid(base: Experiment, text: GridText, id: string, date: number): GridDefinition {
  const steps = typedWith(base, 'train.steps', text.steps, 'steps');
  if (text.x.path === text.y.path) throw new GridError('y', `Both axes are ${labelOf(text.x.path)}; choose two different settings.`);
  const x = axisOf('x', steps, text.x);
  const y = axisOf('y', steps, text.y);
  const seeds = [...new Set(listOf(text.seeds).map((word) => typedWith(steps, 'train.seed', word, 'seeds').train.seed))];
  if (seeds.length === 0) throw new GridError('seeds', 'The grid needs at least one seed.');
  if ([x, y].some(({ path }) => path === 'train.seed') && seeds.length > 1)
    throw new GridError('seeds', 'The seed is an axis already; give one seed here.');
  const runs = x.values.length * y.values.length * seeds.length;
  if (runs > MAX_RUNS) throw new GridError('x', `These are ${runs} runs; a grid has at most ${MAX_RUNS}.`);
  for (const [part, axis] of [
    ['x', x],
    ['y', y],
  ] as const) {
    const [section, key] = axis.path.split('.') as [string, string];
    const varied = [x, y].some(({ path }) => path === 'method.name');
    if (section === 'method' && key !== 'name' && !varied && !methodUses(steps, key))
      throw new GridError(part, `${labelOf(axis.path)} does nothing with ${techniqueName(steps)}; choose another setting or technique.`);
  }
  const definition: GridDefinition = { id, date, base: steps, x, y, seeds };
  // Values that only together do not fit are found here.
  for (let yi = 0; yi < y.values.length; yi++)
    for (let xi = 0; xi < x.values.length; xi++)
      try {
        cellExperiment(definition, xi, yi, seeds[0]!);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        throw new GridError(error.field === y.path ? 'y' : 'x', `${nameCell(definition, xi, yi)}: ${error.message}`);
      }
  return definition;
}

function typedWith(base: Experiment, path: string, word: string, part: keyof GridText): Experiment {
  try {
    return withValue(base, path, word);
  } catch (error) {
    if (error instanceof ConfigError) throw new GridError(part, error.message);
    throw error;
  }
}

/** All runs in their order: with the first seed every place of the grid, then with the next. */
export function cellsOf(definition: GridDefinition): GridCell[] {
  const out: GridCell[] = [];
  for (const seed of definition.seeds)
    for (let y = 0; y < definition.y.values.length; y++)
      for (let x = 0; x < definition.x.values.length; x++) {
        const own = [definition.x, definition.y].some(({ path }) => path === 'train.seed');
        const experiment = cellExperiment(definition, x, y, seed);
        out.push({ index: out.length, x, y, seed: own ? experiment.train.seed : seed, experiment });
      }
  return out;
}

/** A value in words. */
export function valueName(path: string, value: GridValue): string {
  if (typeof value === 'number') return setting(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return choiceName(path, value);
}

const SHORT: Readonly<Record<string, string>> = { 'method.targetRank': 'rank', 'train.lr': 'lr', 'train.batchSize': 'batch' };
/** A setting in a word, for axes. */
export const axisName = (path: string): string => SHORT[path] ?? (path === 'method.name' ? '' : labelOf(path));
/** "λ 0.01, rank 0.2" */
export const nameCell = ({ x, y }: Pick<GridDefinition, 'x' | 'y'>, xi: number, yi: number): string =>
  [[y, yi] as const, [x, xi] as const].map(([{ path, values }, i]) => `${axisName(path)} ${valueName(path, values[i]!)}`.trim()).join(', ');

/** "λ × Target rank" */
export const gridName = ({ x, y }: Pick<GridDefinition, 'x' | 'y'>): string => `${labelOf(y.path)} × ${labelOf(x.path)}`;

/** A first suggestion for an experiment: λ by target rank around its own values, or what else may be varied, where a link locks those. */
export function suggestGrid(base: Experiment, free: (path: string) => boolean = () => true): GridText {
  const list = (values: readonly number[]): string => [...new Set(values.map((v) => Number(v.toPrecision(2))))].join(', ');
  const { lambda, targetRank } = base.method;
  const { lr, seed, batchSize } = base.train;
  const strength = lambda || 1;
  const ranks = targetRank < 1 ? [0.5 * targetRank, targetRank, Math.min(0.9, 2 * targetRank)] : [0.1, 0.2, 0.4];
  const axes = [
    { path: 'method.targetRank', values: list(ranks), used: true },
    { path: 'method.lambda', values: list([0, 0.1 * strength, strength]), used: hasLambda(base) },
    { path: 'train.lr', values: list([lr / 3, lr, lr * 3]), used: true },
    { path: 'train.batchSize', values: list([Math.max(1, Math.floor(batchSize / 2)), batchSize]), used: true },
  ].filter(({ path, used }) => used && free(path));
  // A row of one value, where nothing else is left.
  const one = { path: 'method.targetRank', values: String(targetRank) };
  const [x = one, y = x.path === one.path ? { path: 'train.lr', values: String(lr) } : one] = axes;
  return {
    x: { path: x.path, values: x.values },
    y: { path: y.path, values: y.values },
    seeds: String(seed),
    steps: String(base.train.steps),
  };
}

/** The typed form of a grid, to change it. */
export const textOf = ({ x, y, seeds, base }: GridDefinition): GridText => {
  const axis = ({ path, values }: GridAxis) => ({ path, values: values.join(', ') });
  return { x: axis(x), y: axis(y), seeds: seeds.join(', '), steps: String(base.train.steps) };
};

/** The dense run among a grid's: nothing pulls at its rank. */
export const isDense = (experiment: Experiment): boolean => !hasLambda(experiment) || valueAt(experiment, 'method.lambda') === 0;
