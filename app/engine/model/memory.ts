import { attentionFlops, attentionKey, type AttentionShape, type AttentionTuning } from '../ops/attention';
import { fitsLayerNormBackward } from '../../../kernels/layerNorm/backward';
import { layerNormParts, layerNormScratch } from '../ops/layerNorm';
import { linearProducts, type LinearShape } from '../ops/linear';
import { matmulScratchBytes, type MatmulShape, type MatmulTuning } from '../ops/matmul';
import { columnPartsElements, partsElements } from '../ops/pendingSums';
import { columnSumScratch } from '../ops/reduce';
import { vitShape, type VitConfig } from './shape';

/** What decides between the variants of a step's kernels. */
export type VitTuning = MatmulTuning & AttentionTuning;

/** What the activations depend on. */
export interface VitPlan {
  readonly config: VitConfig;
  readonly batch: number;
  /** Keeps what the backward pass needs; otherwise blocks share their buffers. */
  readonly training: boolean;
  /** Keeps only what enters each block, and computes the block once more in the backward pass: the same bits from less memory. */
  readonly recompute?: boolean;
  /**
   * Computes the last block for all tokens. By default only its class token is, because the head reads nothing else:
   * logits and gradients are the same, and a model of two blocks saves about a third of its work.
   */
  readonly allTokens?: boolean;
  /**
   * Stores what passes between the kernels of a block, and the gradients that flow back the same way, in half precision, two numbers to a
   * word; arithmetic, the residual stream and all that is small stay f32. Widths must be multiples of four, see `unfitForHalves`.
   */
  readonly halves?: boolean;
  /**
   * Sizes of what others keep in the buffers of this model while it rests, in elements. Activations of successive blocks then share
   * buffers, so that there is one for each of these that is large enough.
   */
  readonly guests?: readonly BufferItem[];
  /** Adds the room that split products want; 0 on devices that never split. */
  readonly tuning?: VitTuning;
}

/** One GPU buffer of 4-byte elements. */
export interface BufferItem {
  readonly name: string;
  readonly elements: number;
}

export interface ActivationTable {
  /** The buffers to allocate. */
  readonly items: readonly BufferItem[];
  /** Where each activation lives, from element `first` of a buffer on; several share one when not training. */
  readonly views: ReadonlyMap<string, { readonly buffer: string; readonly first: number; readonly elements: number }>;
}

/** Activations of a block that `halves` stores in half precision. */
export const HALVES: ReadonlySet<string> = new Set(['norm1', 'qkv', 'heads', 'norm2', 'pre', 'act']);

/** True when the head wants more than the class token of the last block, or the caller does. */
export const keepsAllTokens = ({ config, allTokens }: VitPlan): boolean => allTokens === true || config.pool === 'avg';

/** Tokens of block i that go through attention output, projection and MLP. */
export const blockQueries = (plan: VitPlan, block: number): number =>
  block === plan.config.depth - 1 && !keepsAllTokens(plan) ? 1 : vitShape(plan.config).tokens;

/** Sizes of block i's attention. */
export function attentionShape(plan: VitPlan, block: number): AttentionShape {
  const { tokens, headSize } = vitShape(plan.config);
  return { batch: plan.batch, tokens, queries: blockQueries(plan, block), heads: plan.config.numHeads, headSize };
}

/** Every linear layer with its sizes, in forward order. */
export function linearLayers(plan: VitPlan): { name: string; shape: LinearShape; dInput: boolean }[] {
  const { config: c, batch } = plan;
  const { tokens, hidden, patchLength } = vitShape(c);
  const C = c.embedDim;
  const all = batch * tokens;
  const out = [{ name: 'patch_embed.proj', shape: { rows: all, inputs: patchLength, outputs: C }, dInput: false }];
  for (let i = 0; i < c.depth; i++) {
    const rows = batch * blockQueries(plan, i);
    const add = (name: string, r: number, inputs: number, outputs: number): void => {
      out.push({ name: `blocks.${i}.${name}`, shape: { rows: r, inputs, outputs }, dInput: true });
    };
    add('attn.qkv', all, C, 3 * C);
    add('attn.proj', rows, C, C);
    add('mlp.fc1', rows, C, hidden);
    add('mlp.fc2', rows, hidden, C);
  }
  out.push({ name: 'head', shape: { rows: batch, inputs: C, outputs: c.numClasses }, dInput: true });
  return out;
}

/** Every matrix product of a step: what a tuner should measure and a benchmark report. */
export function stepProducts(plan: VitPlan): { name: string; pass: 'forward' | 'backward'; shape: MatmulShape }[] {
  return linearLayers(plan).flatMap(({ name, shape, dInput }) => {
    const products = linearProducts(shape);
    // Of a block's linear layers inputs are stored in half precision, as are the gradients of the inputs.
    const half = plan.halves === true && name.startsWith('blocks.');
    const forward = { name, pass: 'forward', shape: { ...products.forward, ...(half && { halves: { a: true } }) } } as const;
    if (!plan.training) return [forward];
    const dWeight = {
      name: `${name}.dWeight`,
      pass: 'backward',
      shape: { ...products.dWeight, ...(half && { halves: { b: true } }) },
    } as const;
    const back = { ...products.dInput, ...(half && { halves: { out: true } }) };
    return dInput ? [forward, dWeight, { name: `${name}.dInput`, pass: 'backward', shape: back } as const] : [forward, dWeight];
  });
}

/** The block is computed again in the backward pass, up to its last product; those of the last block are still there. */
export const again = ({ training, recompute, config }: VitPlan, block: number): boolean =>
  training && recompute === true && block < config.depth - 1;

/** Floating-point operations of one step in matrix products and attention, recomputation included. */
export function stepFlops(plan: VitPlan): { forward: number; backward: number } {
  const sum = { forward: 0, backward: 0 };
  for (const { pass, shape } of stepProducts(plan)) sum[pass] += 2 * shape.m * shape.n * shape.k;
  for (let i = 0; i < plan.config.depth; i++) {
    const shape = attentionShape(plan, i);
    const { forward, backward } = attentionFlops(shape, plan.tuning?.attention?.[attentionKey(shape, plan.halves)]);
    sum.forward += forward;
    if (plan.training) sum.backward += backward + (again(plan, i) ? forward : 0);
  }
  for (const { name, shape } of linearLayers(plan)) {
    const block = /^blocks\.(\d+)\.(?!mlp\.fc2)/.exec(name)?.[1];
    if (block !== undefined && again(plan, Number(block))) sum.backward += 2 * shape.rows * shape.inputs * shape.outputs;
  }
  return sum;
}

/** Elements of the scratch that reductions and split products share. */
function scratchElements(plan: VitPlan): number {
  const { config: c, batch, training, tuning } = plan;
  let most = 0;
  for (const { shape } of stepProducts(plan)) if (tuning) most = Math.max(most, matmulScratchBytes(tuning, shape) / 4);
  if (!training) return most;
  const { tokens } = vitShape(c);
  for (const { shape } of linearLayers(plan)) most = Math.max(most, columnSumScratch(shape.rows, shape.outputs));
  return Math.max(most, layerNormScratch(batch * tokens, c.embedDim), layerNormScratch(batch, c.embedDim));
}

/**
 * True where a block of the backward pass makes fewer dispatches with more in each, and adds up the gradients of its biases and norms
 * in one at its end: where the tuning says so, which is on devices with many invocations to keep busy.
 */
export function fuses({ config, tuning, training }: Pick<VitPlan, 'config' | 'training' | 'tuning'>): boolean {
  return training && tuning?.fused === true && fitsLayerNormBackward(config.embedDim) && vitShape(config).hidden % 4 === 0;
}

/** Elements of the partial sums that wait for the end of a block, or of the head, where the gradient of the logits is among them. */
function waitingElements(plan: VitPlan): number {
  const { config: c, batch } = plan;
  const { tokens, hidden } = vitShape(c);
  let most = layerNormParts(batch, c.embedDim) + partsElements(batch, c.numClasses);
  for (let i = 0; i < c.depth; i++) {
    const all = batch * tokens;
    const rows = batch * blockQueries(plan, i);
    const norms = layerNormParts(all, c.embedDim) + layerNormParts(rows, c.embedDim);
    const embed = i === 0 ? partsElements(tokens, c.embedDim) : 0;
    most = Math.max(most, norms + columnPartsElements(all, 3 * c.embedDim) + columnPartsElements(rows, hidden) + embed);
  }
  return most;
}

/** Most elements of a buffer that several activations share: WebGPU's default limits give a buffer 256 MiB. */
const MOST_SHARED = 2 ** 26;
/** Elements in the 256 bytes at a multiple of which a binding starts. */
const ALIGNED = 64;

/**
 * Lays activations of one kind of successive blocks side by side in buffers of at least `least` elements, as far as there are so many. No kernel binds
 * the same kind of two blocks, so that none binds such a buffer both to read and to write.
 */
function besides(sizes: ReadonlyMap<string, number>, least: number): Map<string, { buffer: string; first: number }> {
  const out = new Map<string, { buffer: string; first: number }>();
  const open = new Map<string, { buffer: string; end: number }>();
  for (const [name, elements] of sizes) {
    const kind = /^blocks\.\d+\.(.*)$/.exec(name)?.[1];
    let last = kind === undefined ? undefined : open.get(kind);
    if (!last || last.end >= least || last.end + elements > MOST_SHARED) last = { buffer: name, end: 0 };
    out.set(name, { buffer: last.buffer, first: last.end });
    last.end = Math.ceil((last.end + elements) / ALIGNED) * ALIGNED;
    if (kind !== undefined) open.set(kind, last);
  }
  return out;
}

/** Every buffer `VitModel` allocates, and where each activation lives. */
export function activationTable(plan: VitPlan): ActivationTable {
  const { config: c, batch, training, recompute, halves, guests = [] } = plan;
  const { tokens, hidden, patchLength } = vitShape(c);
  const C = c.embedDim;
  const all = batch * tokens;
  const sizes = new Map<string, number>();
  const views = new Map<string, { buffer: string; elements: number }>();
  /** An activation in a buffer of its own, or in the named one, which it shares with others that are needed at other times. */
  const add = (name: string, elements: number, buffer = name): void => {
    sizes.set(buffer, Math.max(sizes.get(buffer) ?? 0, elements));
    views.set(name, { buffer, elements });
  };
  /** Words that hold so many numbers of what flows inside a block. */
  const packed = (numbers: number): number => (halves ? Math.ceil(numbers / 2) : numbers);
  const shared = (buffer: string): string | undefined => (training ? undefined : buffer);
  add('images', batch * c.inChannels * c.imageSize ** 2);
  add('labels', batch);
  add('patches', all * patchLength);
  add('embed', all * C, shared('stream'));
  for (let i = 0; i < c.depth; i++) {
    const queries = blockQueries(plan, i);
    const rows = batch * queries;
    const at = (name: string): string => `blocks.${i}.${name}`;
    /** What the backward pass of this block reads. */
    const keep = (name: string, elements: number, inference: string): void =>
      add(at(name), elements, shared(inference) ?? (recompute ? `block.${name}` : undefined));
    // The backward pass makes the normalised inputs and GELU's output again, each where the gradient that follows it will lie.
    add(at('norm1'), packed(all * C), training ? 'dBranch' : 'branch');
    keep('norm1.stats', 2 * all, 'stats');
    keep('qkv', packed(3 * all * C), 'wide');
    keep('lse', rows * c.numHeads, 'lse');
    keep('heads', packed(rows * C), 'branch');
    if (queries < tokens) add(at('rows'), rows * C, 'rows');
    keep('mid', rows * C, 'middle');
    add(at('norm2'), packed(rows * C), training ? 'dBranch' : 'branch');
    keep('norm2.stats', 2 * rows, 'stats');
    keep('pre', packed(rows * hidden), 'wide');
    add(at('act'), packed(rows * hidden), training ? 'dWide' : 'act');
    add(at('out'), rows * C, shared('stream'));
  }
  if (keepsAllTokens(plan)) add('pooled', batch * C, shared('rows'));
  add('norm.stats', 2 * batch, shared('stats'));
  add('features', batch * C);
  add('logits', batch * c.numClasses);
  add('losses', batch);
  add('correct', batch);
  add('scratch', Math.max(64, scratchElements(plan)));
  if (training) {
    const fused = fuses(plan);
    add('dLogits', batch * c.numClasses, fused ? 'parts' : undefined);
    add('dRows', batch * C);
    add('dStream', all * C);
    add('dBranch', packed(all * C));
    add('dWide', packed(all * Math.max(3 * C, hidden)));
    // In f32, while no block is at work.
    add('dFeatures', batch * C, 'dBranch');
    if (!fused) add('tokenSums', tokens * C, 'dBranch');
    add('delta', all * c.numHeads);
    if (fused) add('parts', waitingElements(plan));
  }
  const least = Math.max(0, ...guests.map(({ elements }) => elements).filter((elements) => elements <= MOST_SHARED));
  const places = besides(sizes, least);
  const buffers = new Map<string, number>();
  for (const [name, { buffer, first }] of places) buffers.set(buffer, first + sizes.get(name)!);
  return {
    items: [...buffers].map(([name, elements]) => ({ name, elements })),
    views: new Map([...views].map(([name, { buffer, elements }]) => [name, { ...places.get(buffer)!, elements }])),
  };
}

/** What is written before the pass, or read behind it, and so never lent. */
const NOT_LENT = new Set(['images', 'labels', 'logits', 'losses', 'correct']);

/**
 * Which buffers of `hosts` can hold `items` while their owner rests: the smallest that is large enough for each, the largest item
 * first, none twice. Items that find none have no entry.
 */
export function lodge(items: readonly BufferItem[], hosts: readonly BufferItem[]): ReadonlyMap<string, string> {
  const free = hosts.filter(({ name }) => !NOT_LENT.has(name)).sort((a, b) => a.elements - b.elements);
  const out = new Map<string, string>();
  for (const item of [...items].sort((a, b) => b.elements - a.elements)) {
    const i = NOT_LENT.has(item.name) ? -1 : free.findIndex(({ elements }) => elements >= item.elements);
    if (i >= 0) out.set(item.name, free.splice(i, 1)[0]!.name);
  }
  return out;
}

/** Elements of those of `items` that find no room in the buffers of `hosts`. */
export function elementsBeside(items: readonly BufferItem[], hosts: readonly BufferItem[]): number {
  const lodged = lodge(items, hosts);
  return items.reduce((sum, item) => sum + (lodged.has(item.name) ? 0 : item.elements), 0);
}

/**
 * The buffers of `activationTable`, with the sum of those that find no room in the buffers of `hosts`, and the largest activation, in
 * elements of 4 bytes.
 */
export function activationElements(
  config: VitConfig,
  batch: number,
  training: boolean,
  o: Pick<VitPlan, 'allTokens' | 'recompute' | 'halves' | 'guests' | 'tuning'> & { hosts?: readonly BufferItem[] } = {},
): { items: readonly BufferItem[]; total: number; largest: BufferItem } {
  const { hosts = [], ...rest } = o;
  const { items, views } = activationTable({ config, batch, training, ...rest });
  const all = [...views].map(([name, { elements }]) => ({ name, elements }));
  const largest = all.reduce((a, b) => (b.elements > a.elements ? b : a));
  return { items, total: elementsBeside(items, hosts), largest };
}
