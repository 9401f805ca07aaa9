import { ConfigError } from './configError';

/**
 * What one matrix, or one kind of matrix, gets instead of the method's own values.
 * `name` is a weight by timm's name; `blocks.*` stands for every block, and `…qkv.weight[0]`, `[1]`, `[2]` are Q, K and V.
 * The most specific entry counts, alone: a named block before `*`, a part or slice before its weight.
 */
export interface MatrixOverride {
  readonly name: string;
  /** Rows [from, to) of the weight as a matrix of their own, in place of the weight; what no slice covers is left alone. */
  readonly rows?: readonly [number, number];
  /** Target rank; with LoRA the rank of the product. */
  readonly rank?: number;
  /** Multiplies λ. */
  readonly lambda?: number;
  /** The method leaves the matrix alone. */
  readonly off?: true;
}

/** What the names and rows are checked against. */
export interface OverrideModel {
  readonly embedDim: number;
  readonly depth: number;
  readonly mlpRatio: number;
  /** Unknown while it follows the data set. */
  readonly numClasses?: number;
  readonly fuseQkv: boolean;
}

const FIELD = 'method.overrides';
const WEIGHT = /^(?:blocks\.(\d+|\*)\.(attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)|(head|patch_embed\.proj))\.weight(?:\[([0-2])\])?$/;
const TEXT = /^([^(:]+)(?:\((\d+)-(\d+)\))?(?::(.*))?$/;
const VALUES = /^(off|(?:r(\d+))?(?:\*(.+))?)$/;
/** Longest text of all overrides: with every other setting changed, too, a link stays within 2 kB. */
const MAX_TEXT = 700;

/** `blocks.0.mlp.fc1.weight:r4,blocks.1.attn.qkv.weight(0-24):r6*0.5,blocks.*.mlp.fc2.weight:off` */
export function writeOverrides(overrides: readonly MatrixOverride[]): string {
  return overrides
    .map(({ name, rows, rank, lambda, off }) => {
      const slice = rows ? `(${rows[0]}-${rows[1]})` : '';
      const values = off ? 'off' : `${rank === undefined ? '' : `r${rank}`}${lambda === undefined ? '' : `*${lambda}`}`;
      return name + slice + (values && `:${values}`);
    })
    .join(',');
}

/** @throws ConfigError naming the part that cannot be read */
export function readOverrides(text: string): MatrixOverride[] {
  if (text.trim() === '') return [];
  return text.split(',').map((part) => {
    const [, name = '', from, to, values = ''] = TEXT.exec(part.trim()) ?? [];
    const [all, , rank, lambda] = VALUES.exec(values) ?? [];
    if (!name || all === undefined)
      throw new ConfigError(
        FIELD,
        `"${part.slice(0, 60)}" is no override; expected a weight and what it gets, such as blocks.0.mlp.fc1.weight:r4*0.5 or …(0-24):off.`,
      );
    return {
      name,
      ...(from !== undefined && to !== undefined ? { rows: [Number(from), Number(to)] as const } : {}),
      ...(rank !== undefined ? { rank: Number(rank) } : {}),
      ...(lambda !== undefined ? { lambda: lambda.trim() === '' ? NaN : Number(lambda) } : {}),
      ...(values === 'off' ? { off: true as const } : {}),
    };
  });
}

/** "blocks.0.mlp.fc1.weight(0-24)", as messages and plans name a matrix. */
export const overrideLabel = ({ name, rows }: MatrixOverride): string => (rows ? `${name}(${rows[0]}-${rows[1]})` : name);

/**
 * Checks a list (or its text) against the model and returns it with its keys in one order.
 * @throws ConfigError naming the matrix and what was expected
 */
export function checkOverrides(input: unknown, model: OverrideModel): MatrixOverride[] {
  const list: unknown = typeof input === 'string' ? readOverrides(input) : input;
  if (!Array.isArray(list)) throw new ConfigError(FIELD, 'Overrides must be a list of {name, rows, rank, lambda, off}.');
  const seen = new Set<string>();
  const out = list.map((item: unknown): MatrixOverride => {
    const o = checkOne(item, model);
    const label = overrideLabel(o);
    if (seen.has(label)) throw new ConfigError(FIELD, `${label} is overridden twice.`);
    seen.add(label);
    return o;
  });
  for (const weight of new Set(out.map((o) => weightOf(o.name))))
    for (const name of weight.includes('*') ? expand(weight, model.depth) : [weight]) checkSlices(out, name);
  const { length } = writeOverrides(out);
  if (length > MAX_TEXT)
    throw new ConfigError(
      FIELD,
      `The overrides take ${length} characters of a link, and at most ${MAX_TEXT} fit; name several blocks at once with blocks.*.`,
    );
  return out;
}

function checkOne(item: unknown, model: OverrideModel): MatrixOverride {
  if (typeof item !== 'object' || item === null || typeof (item as { name?: unknown }).name !== 'string')
    throw new ConfigError(FIELD, 'An override must be an object with the name of a weight.');
  const { name, rows, rank, lambda, off, ...rest } = item as Record<string, unknown> & { name: string };
  const bad = (message: string): never => {
    throw new ConfigError(FIELD, `${name.slice(0, 60)}: ${message}`);
  };
  for (const key of Object.keys(rest)) bad(`there is no "${key}" in an override.`);
  const match = WEIGHT.exec(name);
  if (!match) return bad('this is no weight of the model; expected a name such as blocks.0.mlp.fc1.weight or blocks.*.attn.qkv.weight[0].');
  const [, block, module = match[3]!, , part] = match;
  if (block !== undefined && block !== '*' && Number(block) >= model.depth) bad(`the model has ${model.depth} blocks, counted from 0.`);
  if (part !== undefined && module !== 'attn.qkv') bad('only a qkv weight has the parts [0], [1] and [2].');
  if (part !== undefined && model.fuseQkv) bad('Q, K and V are one matrix while fused QKV is on.');
  if (rows !== undefined) {
    const height = rowsOf(module, model);
    const [from, to] = Array.isArray(rows) ? (rows as unknown[]) : [];
    if (part !== undefined) bad('a slice is given in rows of the whole weight, without [0], [1] or [2].');
    if (!Array.isArray(rows) || rows.length !== 2 || !Number.isInteger(from) || !Number.isInteger(to))
      bad('rows must be two whole numbers, the first row and the one after the last.');
    if (!((from as number) >= 0 && (from as number) < (to as number) && (to as number) <= height))
      bad(`rows ${String(from)} to ${String(to)} are not within its ${Number.isFinite(height) ? height : 'number of'} rows.`);
  }
  if (rank !== undefined && !(Number.isInteger(rank) && (rank as number) >= 0 && (rank as number) <= 4096))
    bad(`the rank must be a whole number from 0 to 4096, not ${String(rank)}.`);
  if (lambda !== undefined && !(typeof lambda === 'number' && Number.isFinite(lambda) && lambda >= 0 && lambda <= 1000))
    bad(`the factor of λ must be a number from 0 to 1000, not ${String(lambda)}.`);
  if (off !== undefined && off !== true) bad('off must be true or left out.');
  if (off && (rank !== undefined || lambda !== undefined)) bad('it is left out and given a rank or a factor of λ at once.');
  if (!off && rows === undefined && rank === undefined && lambda === undefined)
    bad('nothing is said of it: give rows, a rank, a factor of λ, or off.');
  return {
    name,
    ...(rows !== undefined ? { rows: rows as [number, number] } : {}),
    ...(rank !== undefined ? { rank: rank as number } : {}),
    ...(lambda !== undefined ? { lambda: lambda as number } : {}),
    ...(off ? { off: true as const } : {}),
  };
}

function rowsOf(module: string, { embedDim, mlpRatio, numClasses }: OverrideModel): number {
  switch (module) {
    case 'attn.qkv':
      return 3 * embedDim;
    case 'mlp.fc1':
      return Math.trunc(embedDim * mlpRatio);
    case 'head':
      return numClasses ?? Infinity;
    default:
      return embedDim;
  }
}

/** The parameter's name: without `[0]`. */
const weightOf = (name: string): string => name.replace(/\[[0-2]\]$/, '');
const expand = (pattern: string, depth: number): string[] => Array.from({ length: depth }, (_, i) => pattern.replace('*', String(i)));
const star = (name: string): string => name.replace(/^blocks\.\d+\./, 'blocks.*.');

/** The slices of a weight: those of its own, then those of `blocks.*` where no equal one is of its own. */
export function slicesOf(overrides: readonly MatrixOverride[], weight: string): MatrixOverride[] {
  const of = (name: string) => overrides.filter((o) => o.rows && o.name === name);
  const own = of(weight);
  const general = star(weight) === weight ? [] : of(star(weight)).filter((o) => !own.some((p) => String(p.rows) === String(o.rows)));
  return [...own, ...general].sort((a, b) => a.rows![0] - b.rows![0]);
}

/** What counts for a matrix: `name` is that of the weight or of a part of it. Undefined where nothing is said. */
export function overrideFor(overrides: readonly MatrixOverride[], name: string): MatrixOverride | undefined {
  const weight = weightOf(name);
  for (const candidate of [name, star(name), weight, star(weight)]) {
    const found = overrides.find((o) => !o.rows && o.name === candidate);
    if (found) return found;
  }
  return undefined;
}

function checkSlices(overrides: readonly MatrixOverride[], weight: string): void {
  const slices = slicesOf(overrides, weight);
  slices.forEach((slice, i) => {
    const next = slices[i + 1];
    if (next && next.rows![0] < slice.rows![1]) throw new ConfigError(FIELD, `${overrideLabel(slice)} and ${overrideLabel(next)} overlap.`);
  });
  const other = slices.length > 0 && overrides.find((o) => !o.rows && weightOf(o.name) === weight);
  if (other) throw new ConfigError(FIELD, `${other.name}: the weight is cut into slices; say it of them.`);
}

/** What a run cannot take over while it goes on: slices and matrices left out; with `ranks`, the ranks as well. */
export const overrideStructure = (overrides: readonly MatrixOverride[], ranks: boolean): string =>
  writeOverrides(
    overrides
      .filter((o) => o.rows || o.off || (ranks && o.rank !== undefined))
      .map(({ name, rows, rank, off }) => ({
        name,
        ...(rows ? { rows } : {}),
        ...(ranks && rank !== undefined ? { rank } : {}),
        ...(off ? { off } : {}),
      })),
  );
