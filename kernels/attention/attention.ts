import { ceilDiv, expand, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import access from './access.wgsl?raw';
import backward from './backward.wgsl?raw';
import backwardKey from './backwardKey.wgsl?raw';
import backwardQuery from './backwardQuery.wgsl?raw';
import forward from './forward.wgsl?raw';
import halvesLib from '../lib/halves.wgsl?raw';
import rows from './rows.wgsl?raw';
import storeKeys from './storeKeys.wgsl?raw';
import { DEFAULT_BLOCK, TILED, tiledLaunch, type AttentionBlock } from './tiled';

/**
 * `rows`: registers only, a thread owns a few rows. `lanes`: the same, with the columns read once per
 * four threads; the device must have the feature `subgroups`. `tiled`: blocks of scores in workgroup memory.
 */
export type AttentionVariant = 'rows' | 'lanes' | 'tiled';

/** Largest head size; registers grow with it. */
export const MAX_HEAD_SIZE = 128;
export interface AttentionShape {
  readonly batch: number;
  /** T: keys and values. */
  readonly tokens: number;
  /** TQ: the first TQ tokens are queries. */
  readonly queries: number;
  readonly heads: number;
  readonly headSize: number;
}

export type { AttentionBlock } from './tiled';
export interface AttentionLaunch {
  readonly spec: KernelSpec;
  readonly grid: Grid;
}

interface Kernel {
  readonly name: keyof typeof TILED;
  readonly rows: string;
  readonly bindings: KernelSpec['bindings'];
  /** Workgroups of the register kernels: one per head, or as many as cover its rows. */
  readonly head?: boolean;
  /** Buffers the register kernels read and write four dimensions at a time. */
  readonly reads: readonly string[];
  readonly writes: string;
}

const params = fields('u32 batch, u32 tokens, u32 queries, u32 heads, f32 scale');
/** Threads of a workgroup of the register kernels: the lanes of a subgroup on the smallest of devices. */
const LANES = 4;

/**
 * Rows a thread owns in the register kernels. More rows make fewer reads; the count that leaves the least work past the
 * last row is taken, so 5 at 17 tokens and 6 at 65. Meeting several columns at a time gained nothing on SwiftShader and
 * doubled the compile time.
 */
function rowsPerThread(headSize: number, count: number): number {
  const few = count <= 20;
  const largest = headSize <= 16 ? (few ? 3 : 6) : headSize <= 32 ? 3 : headSize <= 64 ? 2 : 1;
  const cost = (R: number): number => ceilDiv(count, LANES * R) * (R + 1);
  let best = largest;
  for (let R = largest - 1; R >= 1; R--) if (cost(R) < cost(best)) best = R;
  return best;
}

function launch(
  kernel: Kernel,
  variant: AttentionVariant,
  shape: AttentionShape,
  /** Rows to cover, and how many of them have work. */
  rowCount: number,
  busyCount: number,
  columnCount: number,
  halves: boolean,
  block?: AttentionBlock,
): AttentionLaunch {
  const { batch, heads, headSize } = shape;
  const { name, bindings } = kernel;
  const kind = halves ? '.halves' : '';
  if (headSize < 1 || headSize > MAX_HEAD_SIZE)
    throw new Error(`attention: a head size of ${headSize} is not within 1 and ${MAX_HEAD_SIZE}`);
  if (halves && headSize % 4 !== 0) throw new Error(`attention: a head of ${headSize} in half precision is no multiple of 4`);
  if (variant === 'tiled') {
    const size = { headSize, rows: rowCount, busyRows: busyCount, columns: columnCount, groups: heads * batch };
    const { code, tile, grid } = tiledLaunch(TILED[name], size, halves, block);
    return { spec: { name: `attention/${name}.tiled${tile}${kind}.${headSize}`, code, params, bindings }, grid };
  }
  const R = rowsPerThread(headSize, busyCount);
  const Q = ceilDiv(headSize, 4);
  const share = variant === 'lanes';
  const vec = headSize % 4 === 0;
  const values = {
    HS: headSize,
    Q,
    SHARES: ceilDiv(Q, LANES),
    SPARE: ceilDiv(Q, LANES) * LANES - Q,
    R,
    TYPE: halves ? 'vec2u' : vec ? 'vec4f' : 'f32',
    UNPACK: halves ? 'unpack_halves' : '',
    PACK: halves ? 'pack_halves' : '',
    VEC: vec ? 1 : 0,
    SCALAR: vec ? 0 : 1,
    SHARE: share ? 1 : 0,
    OWN: share ? 0 : 1,
    LANE: share ? 'subgroup_invocation_id' : 'local_invocation_index',
  };
  const reads = kernel.reads.map((NAME) => expand(access, { ...values, NAME, READ: 1, WRITE: 0 }));
  const write = expand(access, { ...values, NAME: kernel.writes, READ: 0, WRITE: 1 });
  return {
    spec: {
      name: `attention/${name}.${variant}${kind}.${headSize}x${R}`,
      code: [
        expand(rows, values),
        ...(halves ? [halvesLib] : []),
        ...reads,
        write,
        expand(kernel.rows, { ...values, STORE_KEYS: expand(storeKeys, values) }),
      ].join('\n'),
      params,
      bindings,
      ...(share ? { features: ['subgroups'] } : {}),
    },
    grid: foldGrid((kernel.head ? 1 : ceilDiv(rowCount, LANES * R)) * heads * batch),
  };
}

const FORWARD: Kernel = {
  name: 'forward',
  rows: forward,
  bindings: [
    { name: 'qkv', access: 'read' },
    { name: 'output', access: 'readwrite' },
    { name: 'lse', access: 'readwrite' },
  ],
  reads: ['qkv'],
  writes: 'output',
};
const BACKWARD_QUERY: Kernel = {
  name: 'backwardQuery',
  rows: backwardQuery,
  bindings: [
    { name: 'qkv', access: 'read' },
    { name: 'output', access: 'read' },
    { name: 'd_out', access: 'read' },
    { name: 'lse', access: 'read' },
    { name: 'delta', access: 'readwrite' },
    { name: 'd_qkv', access: 'readwrite' },
  ],
  reads: ['qkv', 'output', 'd_out'],
  writes: 'd_qkv',
};
const BACKWARD_KEY: Kernel = {
  name: 'backwardKey',
  rows: backwardKey,
  bindings: [
    { name: 'qkv', access: 'read' },
    { name: 'd_out', access: 'read' },
    { name: 'lse', access: 'read' },
    { name: 'delta', access: 'read' },
    { name: 'd_qkv', access: 'readwrite' },
  ],
  reads: ['qkv', 'd_out'],
  writes: 'd_qkv',
};
const BACKWARD: Kernel = {
  name: 'backward',
  rows: backward,
  bindings: [
    { name: 'qkv', access: 'read' },
    { name: 'output', access: 'read' },
    { name: 'd_out', access: 'read' },
    { name: 'lse', access: 'read' },
    { name: 'd_qkv', access: 'readwrite' },
  ],
  head: true,
  reads: ['qkv', 'output', 'd_out', 'd_qkv'],
  writes: 'd_qkv',
};

/**
 * Buffers: qkv, out, lse. With `halves`, all but lse and delta are in half precision, here and below; heads are multiples of 4 then.
 * `block` limits the blocks of the variant `tiled`.
 */
export const attentionForward = (
  shape: AttentionShape,
  variant: AttentionVariant,
  halves = false,
  block?: AttentionBlock,
): AttentionLaunch => launch(FORWARD, variant, shape, shape.queries, shape.queries, shape.tokens, halves, block);

/** Buffers: qkv, out, dOut, lse, delta (written), dQkv (its q columns). */
export const attentionBackwardQuery = (
  shape: AttentionShape,
  variant: AttentionVariant,
  halves = false,
  block?: AttentionBlock,
): AttentionLaunch => launch(BACKWARD_QUERY, variant, shape, shape.tokens, shape.queries, shape.tokens, halves, block);

/** Buffers: qkv, dOut, lse, delta, dQkv (its k and v columns). */
export const attentionBackwardKey = (
  shape: AttentionShape,
  variant: AttentionVariant,
  halves = false,
  block?: AttentionBlock,
): AttentionLaunch => launch(BACKWARD_KEY, variant, shape, shape.tokens, shape.tokens, shape.queries, halves, block);

/** Whether `attentionBackward` can have a head of this shape. */
export function fitsAttentionBackward(shape: AttentionShape, variant: AttentionVariant, halves: boolean): boolean {
  if (variant === 'tiled') return shape.tokens <= DEFAULT_BLOCK.columns;
  // The gradients of queries are added to in the buffer, where halves would be rounded each time.
  return variant === 'lanes' && (!halves || shape.tokens <= LANES * rowsPerThread(shape.headSize, shape.tokens));
}

/** Both in one, where `fitsAttentionBackward`. Buffers: qkv, out, dOut, lse, dQkv (written whole). */
export const attentionBackward = (
  shape: AttentionShape,
  variant: AttentionVariant,
  halves = false,
  block?: AttentionBlock,
): AttentionLaunch =>
  variant === 'tiled'
    ? launch(BACKWARD, variant, shape, shape.queries, shape.queries, shape.tokens, halves, block)
    : launch(BACKWARD, variant, shape, shape.tokens, shape.tokens, shape.queries, halves, block);

/** Scalars all kernels take; scale = 1/√headSize. */
export const attentionParams = (shape: AttentionShape): Record<string, number> => ({
  batch: shape.batch,
  tokens: shape.tokens,
  queries: shape.queries,
  heads: shape.heads,
  scale: 1 / Math.sqrt(shape.headSize),
});
