import { vitShape, type VitConfig } from './shape';

export type { VitConfig } from './shape';

/** One parameter tensor inside the arena that holds them all. */
export interface ParameterEntry {
  /** timm's name. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First element; a multiple of 64, so that the tensor can be bound at 256 bytes. */
  readonly offset: number;
  readonly length: number;
}
export interface ParameterTable {
  readonly entries: readonly ParameterEntry[];
  readonly byName: ReadonlyMap<string, ParameterEntry>;
  /** Elements of the arena, padding included. */
  readonly total: number;
  /** Trained parameters. */
  readonly count: number;
}

const ALIGNMENT = 64;

/** timm's name of the norm before the head: with mean pooling it comes after the pooling and is another layer. */
export const headNorm = (c: VitConfig): 'norm' | 'fc_norm' => (c.pool === 'avg' ? 'fc_norm' : 'norm');

/** Every parameter of the model with timm's name and shape; gradients and optimizer moments use the same offsets. */
export function vitParameters(c: VitConfig): ParameterTable {
  const { tokens, hidden } = vitShape(c);
  const C = c.embedDim;
  const shapes: [string, number[]][] = [
    ['cls_token', [1, 1, C]],
    ['pos_embed', [1, tokens, C]],
    ['patch_embed.proj.weight', [C, c.inChannels, c.patchSize, c.patchSize]],
    ['patch_embed.proj.bias', [C]],
  ];
  const layer = (name: string, outputs: number, inputs: number): void => {
    shapes.push([`${name}.weight`, [outputs, inputs]], [`${name}.bias`, [outputs]]);
  };
  const norm = (name: string): void => {
    shapes.push([`${name}.weight`, [C]], [`${name}.bias`, [C]]);
  };
  for (let i = 0; i < c.depth; i++) {
    norm(`blocks.${i}.norm1`);
    layer(`blocks.${i}.attn.qkv`, 3 * C, C);
    layer(`blocks.${i}.attn.proj`, C, C);
    norm(`blocks.${i}.norm2`);
    layer(`blocks.${i}.mlp.fc1`, hidden, C);
    layer(`blocks.${i}.mlp.fc2`, C, hidden);
  }
  norm(headNorm(c));
  layer('head', c.numClasses, C);

  let total = 0;
  let count = 0;
  const entries = shapes.map(([name, shape]): ParameterEntry => {
    const length = shape.reduce((a, b) => a * b, 1);
    const offset = total;
    total += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    count += length;
    return { name, shape, offset, length };
  });
  return { entries, byName: new Map(entries.map((e) => [e.name, e])), total, count };
}

/** 32 well-mixed bits of (seed, stream, counter): two rounds of the murmur3 finaliser. */
function hash(seed: number, stream: number, counter: number): number {
  let h = seed >>> 0;
  for (const word of [stream, counter]) {
    h = (h ^ Math.imul(word, 0x9e3779b1)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 0;
  }
  return h;
}
/** Uniform in (0, 1): never 0, so that its logarithm is finite. */
const unit = (seed: number, stream: number, counter: number): number => (hash(seed, stream, counter) + 0.5) / 4294967296;

/** Standard normal by Box–Muller. Every value depends on (seed, stream, index) alone. */
function normal(seed: number, stream: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(unit(seed, stream, 2 * index)));
  return radius * Math.cos(2 * Math.PI * unit(seed, stream, 2 * index + 1));
}

/**
 * A fresh arena, initialised as timm's `VisionTransformer` does: linear weights and the position embedding normal with
 * std 0.02, cls_token normal with std 1e-6, linear biases 0, layer norms 1 and 0, and the patch projection as PyTorch's
 * Conv2d, uniform in ±1/√fanIn for weight and bias. timm's truncation is at ±2, a hundred deviations, and never acts.
 * The same seed gives the same bits; padding is 0.
 */
export function initialParameters(c: VitConfig, table: ParameterTable, seed: number): Float32Array<ArrayBuffer> {
  const arena = new Float32Array(table.total);
  const bound = 1 / Math.sqrt(vitShape(c).patchLength);
  table.entries.forEach(({ name, offset, length }, stream) => {
    const fill = (value: (i: number) => number): void => {
      for (let i = 0; i < length; i++) arena[offset + i] = value(i);
    };
    if (name === 'cls_token') fill((i) => 1e-6 * normal(seed, stream, i));
    else if (name.startsWith('patch_embed.')) fill((i) => bound * (2 * unit(seed, stream, i) - 1));
    else if (/(^|\.)(fc_)?norm\d?\.weight$/.test(name)) fill(() => 1);
    else if (!name.endsWith('.bias')) fill((i) => 0.02 * normal(seed, stream, i));
  });
  return arena;
}
