import { ceilDiv, expand, foldGrid, type Grid, type KernelSpec } from '../spec';
import halvesLib from '../lib/halves.wgsl?raw';
import access from './access.wgsl?raw';
import backwardKey from './backwardKeyTiled.wgsl?raw';
import backwardQuery from './backwardQueryTiled.wgsl?raw';
import backward from './backwardTiled.wgsl?raw';
import forward from './forwardTiled.wgsl?raw';
import tileScores from './tileScores.wgsl?raw';
import tileSum from './tileSum.wgsl?raw';
import tiles from './tiles.wgsl?raw';

/** Largest blocks of a workgroup, in rows and in columns of scores. They are made no larger than it takes to cover the matrix evenly. */
export interface AttentionBlock {
  readonly rows: number;
  readonly columns: number;
  /** Quads of dimensions for which the products are written out, at most; default 1: drivers unroll the loop over them as they see fit. */
  readonly unroll?: number;
  /** Needs `LARGE_BLOCKS` of the device, and may fill them. */
  readonly large?: boolean;
}

interface TiledKernel {
  readonly source: string;
  /** Buffers read and written, four dimensions at a time. */
  readonly reads: readonly string[];
  readonly writes: string;
  /** Pairs of buffers: rows of the one meet columns of the other. */
  readonly scores: readonly (readonly [string, string])[];
  /** Buffers whose rows are summed with weights. */
  readonly sums: readonly string[];
  /** A workgroup has a whole head: all columns, and all blocks of rows one after another. */
  readonly head?: boolean;
}

export const TILED = {
  forward: { source: forward, reads: ['qkv'], writes: 'output', scores: [['qkv', 'qkv']], sums: ['qkv'] },
  backwardQuery: {
    source: backwardQuery,
    reads: ['qkv', 'output', 'd_out'],
    writes: 'd_qkv',
    scores: [
      ['qkv', 'qkv'],
      ['d_out', 'qkv'],
    ],
    sums: ['qkv'],
  },
  backwardKey: {
    source: backwardKey,
    reads: ['qkv', 'd_out'],
    writes: 'd_qkv',
    scores: [
      ['qkv', 'qkv'],
      ['qkv', 'd_out'],
    ],
    sums: ['qkv', 'd_out'],
  },
  backward: {
    source: backward,
    reads: ['qkv', 'output', 'd_out'],
    writes: 'd_qkv',
    scores: [
      ['qkv', 'qkv'],
      ['d_out', 'qkv'],
    ],
    sums: ['qkv'],
    head: true,
  },
} as const satisfies Record<string, TiledKernel>;

/** 65 tokens, those of 8 × 8 patches, make one block of columns and two of rows. */
export const DEFAULT_BLOCK: AttentionBlock = { rows: 36, columns: 68 };

/** Invocations of a workgroup and bytes of workgroup memory: those that every device offers, and those of most graphics cards. */
const SMALL_BLOCKS = { invocations: 256, bytes: 16384 };
export const LARGE_BLOCKS = { invocations: 512, bytes: 32768 };
/** Quads of dimensions of the columns staged at once, at most. */
const MAX_DEPTH = 8;

/** Fours in each of as many blocks of at most `limit` as cover `count`. */
const evenFours = (count: number, limit: number): number => ceilDiv(count, 4 * ceilDiv(count, limit));

/** `rows` and `columns` of scores of one head, of which `busyRows` have work; `groups`: heads of all images. */
export interface TiledSize {
  readonly headSize: number;
  readonly rows: number;
  readonly busyRows: number;
  readonly columns: number;
  readonly groups: number;
}

/** Code, the part of the name that tells one compilation from another, and the grid of a kernel of `TILED`. */
export function tiledLaunch(
  kernel: TiledKernel,
  size: TiledSize,
  halves: boolean,
  block: AttentionBlock = DEFAULT_BLOCK,
): { code: KernelSpec['code']; tile: string; grid: Grid } {
  const { headSize } = size;
  const Q = ceilDiv(headSize, 4);
  const CG = evenFours(size.columns, block.columns);
  if (kernel.head && 4 * CG < size.columns) throw new Error(`attention: ${size.columns} columns are more than a block of ${4 * CG}`);
  const room = block.large ? LARGE_BLOCKS : SMALL_BLOCKS;
  const most = Math.min(Math.floor(room.invocations / Math.max(CG, Q)), Math.floor(block.rows / 4));
  const RG = evenFours(size.busyRows, 4 * most);
  const width = Math.max(CG, Q);
  let DC = Math.min(MAX_DEPTH, Q);
  while (Q % DC !== 0) DC--;
  let UNROLL = Math.min(block.unroll ?? 1, DC);
  while (DC % UNROLL !== 0) UNROLL--;
  const PITCH = DC | 1;
  // Staging wants more threads than the scores of a few rows do.
  const THREADS = Math.max(64, 32 * ceilDiv(RG * width, 32));
  const KG = ceilDiv(CG, Math.floor(THREADS / Q));
  // Threads without keys of their own compute an index all the same, and one that may lie outside is clamped at every access.
  const reach = kernel.head ? (4 * RG - 1) * CG + KG * (Math.floor((THREADS - 1) / Q) + 1) : 0;
  const PANEL = Math.max(4 * CG * Math.max(PITCH, RG), reach);
  const PARTIALS = RG * width;
  if (16 * (PANEL + PARTIALS + RG) > room.bytes) throw new Error(`attention: blocks of ${4 * RG} x ${4 * CG} exceed the workgroup memory`);
  const vec = headSize % 4 === 0;
  const values = {
    HS: headSize,
    Q,
    RG,
    CG,
    DC,
    UNROLL,
    PITCH,
    PANEL,
    PARTIALS,
    THREADS,
    KG,
    TYPE: halves ? 'vec2u' : vec ? 'vec4f' : 'f32',
    UNPACK: halves ? 'unpack_halves' : '',
    PACK: halves ? 'pack_halves' : '',
    VEC: vec ? 1 : 0,
    SCALAR: vec ? 0 : 1,
  };
  const code = [
    ...(halves ? [halvesLib] : []),
    expand(tiles, values),
    ...kernel.reads.map((NAME) => expand(access, { ...values, NAME, READ: 1, WRITE: 0 })),
    expand(access, { ...values, NAME: kernel.writes, READ: 0, WRITE: 1 }),
    ...kernel.scores.map(([ROWS_OF, COLUMNS_OF]) => expand(tileScores, { ...values, ROWS_OF, COLUMNS_OF })),
    ...kernel.sums.map((COLUMNS_OF) => expand(tileSum, { ...values, COLUMNS_OF })),
    expand(kernel.source, values),
  ].join('\n');
  const blocks = kernel.head ? 1 : ceilDiv(size.rows, 4 * RG);
  return { code, tile: `${4 * RG}x${4 * CG}${UNROLL > 1 ? `x${UNROLL}` : ''}`, grid: foldGrid(blocks * size.groups) };
}
