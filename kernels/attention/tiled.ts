import { ceilDiv, expand, foldGrid, type Grid, type KernelSpec } from '../spec';
import halvesLib from '../lib/halves.wgsl?raw';
import access from './access.wgsl?raw';
import backwardKey from './backwardKeyTiled.wgsl?raw';
import backwardQuery from './backwardQueryTiled.wgsl?raw';
import forward from './forwardTiled.wgsl?raw';
import tileScores from './tileScores.wgsl?raw';
import tileSum from './tileSum.wgsl?raw';
import tiles from './tiles.wgsl?raw';

/** Largest blocks of a workgroup, in rows and in columns of scores. They are made no larger than it takes to cover the matrix evenly. */
export interface AttentionBlock {
  readonly rows: number;
  readonly columns: number;
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
} as const satisfies Record<string, TiledKernel>;

/** 65 tokens, those of 8 × 8 patches, make one block of columns and two of rows. */
export const DEFAULT_BLOCK: AttentionBlock = { rows: 36, columns: 68 };

/** Invocations of a workgroup and vec4f of workgroup memory that every device offers. */
const MAX_THREADS = 256;
const MAX_QUADS = 1024;
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
  const most = Math.min(Math.floor(MAX_THREADS / Math.max(CG, Q)), Math.floor(block.rows / 4));
  const RG = evenFours(size.busyRows, 4 * most);
  const width = Math.max(CG, Q);
  let DC = Math.min(MAX_DEPTH, Q);
  while (Q % DC !== 0) DC--;
  const PITCH = DC | 1;
  const PANEL = 4 * CG * Math.max(PITCH, RG);
  const PARTIALS = RG * width;
  if (PANEL + PARTIALS + RG > MAX_QUADS) throw new Error(`attention: blocks of ${4 * RG} x ${4 * CG} exceed the workgroup memory`);
  const vec = headSize % 4 === 0;
  const values = {
    HS: headSize,
    Q,
    RG,
    CG,
    DC,
    PITCH,
    PANEL,
    PARTIALS,
    // Staging wants more threads than the scores of a few rows do.
    THREADS: Math.max(64, 32 * ceilDiv(RG * width, 32)),
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
  return { code, tile: `${4 * RG}x${4 * CG}`, grid: foldGrid(ceilDiv(size.rows, 4 * RG) * size.groups) };
}
