import type { PretrainedOptions } from '../../protocol/checkpoint';
import { patchExperiment, type Experiment } from '../../protocol/experiment';
import { initialParameters, vitParameters, type VitConfig } from '../model/parameters';
import { EXPERIMENT_KEY } from './checkpoint';
import { resolveModel } from './datasets';
import { resampleGrid } from './resample';
import { TensorFileError, floatsOf, type StoredTensor, type TensorFile } from './safetensors';

/** Weights of another origin, made to fit. */
export interface Pretrained {
  /** The given experiment with the model of the file. */
  readonly experiment: Experiment;
  /** The parameter arena of that model. */
  readonly arena: Float32Array<ArrayBuffer>;
  /** What was adapted, replaced or left out, in sentences. */
  readonly notes: readonly string[];
}

/** The tensor by which a Vision Transformer of timm is known, and whose name shows what stands before all others. */
const ANCHOR = 'patch_embed.proj.weight';
/** Names of the same tensor in other libraries, to say what the file is. */
const FOREIGN: readonly [RegExp, string][] = [
  [/embeddings\.patch_embeddings\.projection\.weight$/, 'the layout of the Transformers library'],
  [/conv_proj\.weight$/, 'the layout of torchvision'],
  [/visual\.conv1\.weight$/, 'the layout of CLIP'],
];
/** Parts of a file that compute nothing which this model leaves out. */
const HARMLESS = /^(pre_logits\.|head_dist\.|head_drop|dist_token$)/;
const MAX_NAMES = 4;

/**
 * Makes weights in timm's layout fit an experiment. Width, depth, patch and MLP ratio are read from the tensors; image size,
 * channels and classes are those of the experiment: position embeddings are interpolated, patch projections summed or spread over
 * channels, and a head of another number of classes is drawn anew. LayerScale is folded into the projection before it.
 * @throws TensorFileError naming what is missing or ill-shaped; ConfigError naming the field of a model that cannot be made here
 */
export function fitPretrained(
  file: TensorFile,
  base: Experiment,
  options: PretrainedOptions = {},
  resolve: (experiment: Experiment) => VitConfig = resolveModel,
): Pretrained {
  const notes: string[] = [];
  const source = new Source(file.tensors);
  const patch = source.shape(ANCHOR, 4);
  const [embedDim = 0, channels = 0, patchSize = 0] = patch;
  if (patch[2] !== patch[3] || patch.includes(0))
    throw new TensorFileError(`${source.name(ANCHOR)} is [${patch.join(', ')}]; square patches are read.`);
  let depth = 0;
  while (source.has(`blocks.${depth}.norm1.weight`)) depth++;
  if (depth === 0)
    throw new TensorFileError(`The file has no tensor ${source.name('blocks.0.norm1.weight')}, so no block of a Vision Transformer.`);
  const [hidden = 0] = source.shape('blocks.0.mlp.fc1.weight', 2);
  const given = givenModel(file);
  const numHeads = headsOf(embedDim, options, given, base, notes);
  const pooled = !source.has('norm.weight') && source.has('fc_norm.weight');
  const experiment = patchExperiment(base, {
    model: { patchSize, embedDim, depth, numHeads, mlpRatio: ratioOf(hidden, embedDim), ...(pooled && { pool: 'avg' as const }) },
  });
  const config = resolve(experiment);
  const table = vitParameters(config);
  const arena = initialParameters(config, table, experiment.train.seed);
  for (const { name, shape, offset } of table.entries) {
    const values = fit(source, name, shape, { config, channels, notes });
    const bad = values?.findIndex((x) => !Number.isFinite(x)) ?? -1;
    if (bad >= 0) throw new TensorFileError(`${name} holds ${values![bad]} at ${bad}; only finite numbers can be used.`);
    if (values) arena.set(values, offset);
  }
  const rest = source.rest();
  const foreign = rest.filter((name) => !HARMLESS.test(name));
  const harmless = rest.filter((name) => HARMLESS.test(name));
  if (harmless.length > 0) notes.push(`Left out, as nothing here uses it: ${listed(harmless)}.`);
  const inside = foreign.filter((name) => /^(blocks\.|norm|patch_embed|reg_token|rope)/.test(name));
  if (inside.length > 0) notes.push(`This model has no ${listed(inside)}; without it the outputs are not those of the file's model.`);
  const outside = foreign.filter((name) => !inside.includes(name));
  if (outside.length > 0) notes.push(`Left out, as no part of the model: ${listed(outside)}.`);
  return { experiment, arena, notes };
}

const listed = (names: readonly string[]): string =>
  names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '');

/** The tensors of a file by timm's names, and which of them have been used. */
class Source {
  private readonly prefix: string;
  private readonly used = new Set<string>();

  constructor(private readonly tensors: ReadonlyMap<string, StoredTensor>) {
    const anchors = [...tensors.keys()].filter((name) => name === ANCHOR || name.endsWith(`.${ANCHOR}`));
    if (anchors.length === 0) {
      const foreign = FOREIGN.find(([pattern]) => [...tensors.keys()].some((name) => pattern.test(name)));
      throw new TensorFileError(
        `The file has no tensor ${ANCHOR}, so it holds no Vision Transformer in timm's layout` +
          (foreign ? `; it looks like ${foreign[1]}.` : '. Expected are names such as blocks.0.attn.qkv.weight.'),
      );
    }
    // Beside the model there may be a copy of it, such as an average, under a longer name.
    this.prefix = anchors.reduce((a, b) => (b.length < a.length ? b : a)).slice(0, -ANCHOR.length);
  }

  /** The name in the file. */
  name(name: string): string {
    return this.prefix + name;
  }
  has(name: string): boolean {
    return this.tensors.has(this.name(name));
  }
  /** @throws TensorFileError when it is missing or has another number of dimensions */
  shape(name: string, dimensions: number): readonly number[] {
    const shape = this.tensor(name).shape;
    if (shape.length !== dimensions)
      throw new TensorFileError(`${this.name(name)} is [${shape.join(', ')}]; ${dimensions} dimensions were expected.`);
    return shape;
  }
  /** @throws TensorFileError when it is missing, or of a type that holds no real numbers */
  values(name: string): Float32Array<ArrayBuffer> {
    this.used.add(this.name(name));
    return floatsOf(this.name(name), this.tensor(name));
  }
  private tensor(name: string): StoredTensor {
    const tensor = this.tensors.get(this.name(name));
    if (!tensor) throw new TensorFileError(`The file has no tensor ${this.name(name)}.`);
    return tensor;
  }
  use(name: string): void {
    this.used.add(this.name(name));
  }
  /** Names of what was not used, without the prefix where they have it. */
  rest(): string[] {
    return [...this.tensors.keys()]
      .filter((name) => !this.used.has(name))
      .map((name) => (name.startsWith(this.prefix) ? name.slice(this.prefix.length) : name));
  }
}

/** The model that the metadata name, where the file is one of this page. */
function givenModel({ metadata }: TensorFile): { numHeads?: unknown } {
  try {
    const { model } = JSON.parse(metadata.get(EXPERIMENT_KEY) ?? '{}') as { model?: { numHeads?: unknown } | null };
    return model ?? {};
  } catch {
    return {};
  }
}

function headsOf(embedDim: number, options: PretrainedOptions, given: { numHeads?: unknown }, base: Experiment, notes: string[]): number {
  const fits = (heads: number): boolean => Number.isInteger(heads) && heads > 0 && embedDim % heads === 0;
  if (options.numHeads !== undefined) {
    if (fits(options.numHeads)) return options.numHeads;
    throw new TensorFileError(`${options.numHeads} heads do not divide the width of ${embedDim} that the file has.`);
  }
  if (typeof given.numHeads === 'number' && fits(given.numHeads)) return given.numHeads;
  const heads = embedDim % 64 === 0 ? embedDim / 64 : base.model.numHeads;
  if (!fits(heads))
    throw new TensorFileError(
      `The number of heads is not in the file, and ${heads} do not divide its width of ${embedDim}. Set the heads first.`,
    );
  notes.push(
    embedDim % 64 === 0
      ? `The file does not say how many heads it has: ${heads} assumed, the width / 64.`
      : `The file does not say how many heads it has: ${heads} taken from the settings.`,
  );
  return heads;
}

/** hidden / embedDim, such that trunc(embedDim · ratio) is hidden again. */
function ratioOf(hidden: number, embedDim: number): number {
  const ratio = hidden / embedDim;
  return Math.trunc(embedDim * ratio) === hidden ? ratio : (hidden + 0.5) / embedDim;
}

interface Fitting {
  readonly config: VitConfig;
  /** Image channels of the file's model. */
  readonly channels: number;
  readonly notes: string[];
}

/** One parameter from the file; undefined where it keeps its fresh value. */
function fit(source: Source, name: string, shape: readonly number[], f: Fitting): Float32Array | undefined {
  if (name === 'pos_embed') return positions(source, shape, f);
  if (name === ANCHOR) return projection(source, shape, f);
  if (name.startsWith('head.')) return head(source, name, shape, f.notes);
  // timm calls the last norm `norm` before the class token is taken, and `fc_norm` after the mean.
  const other = name.startsWith('fc_norm.') ? name.slice(3) : name.startsWith('norm.') ? `fc_${name}` : name;
  const from = source.has(name) ? name : source.has(other) ? other : name;
  const found = source.shape(from, shape.length);
  if (found.join() !== shape.join())
    throw new TensorFileError(`${source.name(from)} is [${found.join(', ')}] in the file; the model needs [${shape.join(', ')}].`);
  if (from !== name && name.endsWith('.weight'))
    f.notes.push(`${from.replace('.weight', '')} of the file is used as ${name.replace('.weight', '')}.`);
  return scaled(source, from);
}

/** timm's LayerScale multiplies what a branch adds: x + γ(Wh + b) = x + (γW)h + γb. */
function scaled(source: Source, name: string): Float32Array {
  const values = source.values(name);
  const [, block, layer] = /^(blocks\.\d+)\.(attn\.proj|mlp\.fc2)\.(?:weight|bias)$/.exec(name) ?? [];
  const gamma = `${block}.${layer === 'attn.proj' ? 'ls1' : 'ls2'}.gamma`;
  if (!block || !source.has(gamma)) return values;
  const factors = source.values(gamma);
  const row = values.length / factors.length;
  if (!Number.isInteger(row)) throw new TensorFileError(`${source.name(gamma)} has ${factors.length} values, which do not fit ${name}.`);
  return values.map((x, i) => x * factors[Math.floor(i / row)]!);
}

function positions(source: Source, shape: readonly number[], { notes }: Fitting): Float32Array {
  const found = source.shape('pos_embed', 3);
  const [, tokens = 0, width = 0] = shape;
  const [one, rows = 0, dim] = found;
  const sideOf = (count: number): number => {
    const side = Math.round(Math.sqrt(count));
    return count >= 1 && side * side === count ? side : 0;
  };
  const distilled = source.has('dist_token');
  // Rows before the grid: class token, and the distillation token of DeiT; none where the class token has no position.
  const before = distilled && sideOf(rows - 2) ? 2 : sideOf(rows - 1) ? 1 : sideOf(rows) ? 0 : -1;
  const side = sideOf(rows - before);
  if (one !== 1 || dim !== width || before < 0 || side === 0)
    throw new TensorFileError(
      `${source.name('pos_embed')} is [${found.join(', ')}]; expected is [1, 1 + side × side, ${width}] of a square grid of patches.`,
    );
  const values = source.values('pos_embed');
  const to = sideOf(tokens - 1);
  const out = new Float32Array(tokens * width);
  if (before > 0) out.set(values.subarray(0, width));
  out.set(resampleGrid(values.subarray(before * width), side, width, to), width);
  if (side !== to) notes.push(`Position embeddings interpolated from ${side} × ${side} to ${to} × ${to} patches.`);
  return out;
}

function projection(source: Source, shape: readonly number[], { channels, notes }: Fitting): Float32Array {
  const [outputs = 0, wanted = 0, height = 0, width = 0] = shape;
  const values = source.values(ANCHOR);
  if (channels === wanted) return values;
  const area = height * width;
  const out = new Float32Array(outputs * wanted * area);
  if (wanted === 1) {
    for (let o = 0; o < outputs; o++)
      for (let c = 0; c < channels; c++) for (let i = 0; i < area; i++) out[o * area + i]! += values[(o * channels + c) * area + i]!;
    notes.push(`The patch projection is summed over its ${channels} colours, as the images are grey.`);
    return out;
  }
  if (channels === 1) {
    for (let o = 0; o < outputs; o++)
      for (let c = 0; c < wanted; c++) for (let i = 0; i < area; i++) out[(o * wanted + c) * area + i] = values[o * area + i]! / wanted;
    notes.push(`The patch projection of grey images is spread evenly over ${wanted} colours.`);
    return out;
  }
  throw new TensorFileError(`${source.name(ANCHOR)} takes ${channels} channels, and the images have ${wanted}.`);
}

function head(source: Source, name: string, shape: readonly number[], notes: string[]): Float32Array | undefined {
  const [classes = 0] = shape;
  const weight = source.has('head.weight') ? source.shape('head.weight', 2) : undefined;
  if (weight?.[0] === classes && source.has('head.bias')) {
    const found = source.shape(name, shape.length);
    if (found.join() === shape.join()) return source.values(name);
    throw new TensorFileError(`${source.name(name)} is [${found.join(', ')}] in the file; the model needs [${shape.join(', ')}].`);
  }
  source.use(name);
  if (name === 'head.weight')
    notes.push(
      weight
        ? `The head for ${weight[0]} classes is replaced by a fresh one for ${classes}.`
        : `The file has no head; a fresh one for ${classes} classes is used.`,
    );
  return undefined;
}
