/** Kernels of the batched SVD. Every dispatch covers all matrices of a table; `y` of the grid is the matrix. */
import { ceilDiv, expand, fields, type BindingField, type Grid, type KernelSpec, type ParamField } from '../spec';
import commonSource from './common.wgsl?raw';
import randomSource from './random.wgsl?raw';
import advanceSource from './advance.wgsl?raw';
import beginSource from './begin.wgsl?raw';
import choleskySource from './cholesky.wgsl?raw';
import coldSource from './cold.wgsl?raw';
import combineSource from './combine.wgsl?raw';
import innerSource from './inner.wgsl?raw';
import innerAcrossSource from './innerAcross.wgsl?raw';
import jacobiSource from './jacobi.wgsl?raw';
import jacobiLanesSource from './jacobiLanes.wgsl?raw';
import loadSource from './load.wgsl?raw';
import measureSource from './measure.wgsl?raw';
import meetSource from './meet.wgsl?raw';
import meetLanesSource from './meetLanes.wgsl?raw';
import normsSource from './norms.wgsl?raw';
import orderSource from './order.wgsl?raw';
import parallelSource from './parallel.wgsl?raw';
import placeSource from './place.wgsl?raw';
import polishSource from './polish.wgsl?raw';
import residualSource from './residual.wgsl?raw';
import rotationSource from './rotation.wgsl?raw';
import squareSource from './square.wgsl?raw';
import startSource from './start.wgsl?raw';
import sweepsSource from './sweeps.wgsl?raw';
import sweepsLanesSource from './sweepsLanes.wgsl?raw';
import tilesSource from './tiles.wgsl?raw';
import turnLanesSource from './turnLanes.wgsl?raw';
import verifySource from './verify.wgsl?raw';

/** WGSL structs and helpers that the Q3R kernels share. */
export const svdCommon: string = commonSource;

/** Kinds of column ranges, the numbers of common.wgsl. */
export const LONG = 0;
export const SHORT = 1;
export const LEFT = 2;
export const RIGHT = 3;
/** Span of a product, besides LONG and SHORT: the first ell entries of its columns. */
export const SQUARE = 2;
/** What `combine` sums over: all k columns, the ell columns at work, or those of an upper triangle. */
export const INNER_ALL = 0;
export const INNER_SKETCH = 1;
export const INNER_TRIANGULAR = 2;

/** What `start` begins with: the known columns and random ones, the known or the identity. */
export const START_SKETCH = 0;
export const START_EXACT = 1;

/** Partial results per matrix of `measure`. */
export const PARTS = 64;

const bind = (text: string): BindingField[] =>
  text.split(' ').map((word) => (word.startsWith('*') ? { name: word.slice(1), access: 'readwrite' } : { name: word, access: 'read' }));
const WG = { WG: 64 };
const withTiles = `${commonSource}\n${tilesSource}\n`;
const withRandom = `${commonSource}\n${randomSource}\n`;

export const measure: KernelSpec = {
  name: 'svd/measure',
  code: `${commonSource}\n${measureSource}`,
  params: [],
  bindings: bind('table arena *partials'),
  constants: { SHARE: 1 },
};
export const begin: KernelSpec = {
  name: 'svd/begin',
  code: `${commonSource}\n${beginSource}`,
  params: fields('u32 count, u32 exact, u32 skip'),
  bindings: bind('table partials *state *off'),
};
export const load: KernelSpec = {
  name: 'svd/load',
  code: `${commonSource}\n${loadSource}`,
  params: [],
  bindings: bind('table state arena *a'),
  constants: { ...WG, EACH: 1 },
};
export const start: KernelSpec = {
  name: 'svd/start',
  code: withRandom + startSource,
  params: fields('u32 mode'),
  bindings: bind('table state *factors'),
  constants: { ...WG, EACH: 1 },
};
export const cold: KernelSpec = {
  name: 'svd/cold',
  code: `${commonSource}\n${coldSource}`,
  params: [],
  bindings: bind('table state off a *y *v'),
  constants: WG,
};
/**
 * Columns and rows of a product that one invocation computes: 8 where loads are dear (software adapters), 4 where many invocations
 * are needed to fill the device. 16: columns that four lanes of a subgroup share, on software adapters with subgroups.
 */
export type Tile = 4 | 8 | 16;
/** Four lanes have a tile of a product together. */
export const isShared = (tile: Tile): boolean => tile === 16;
/** Columns of a tile of `combine`: more than of `inner`, whose tiles are square. */
export const combined = (tile: Tile): number => (isShared(tile) ? 24 : tile);

// Whether a subgroup of four has something to do is for it alone to know, which the compiler cannot see.
const SUBGROUPS = { prefix: 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n', features: ['subgroups'] as const };
const product = (
  name: string,
  tile: Tile,
  params: ParamField[],
  before: string,
  source: string,
  values: Record<string, number>,
): KernelSpec => {
  const shared = isShared(tile);
  const lane = shared
    ? { SHARE: 1, OWN: 0, LANES: 4, LANE: 'lane', OFFSET: '4u * lane' }
    : { SHARE: 0, OWN: 1, LANES: 1, LANE: '0u', OFFSET: '0u' };
  return {
    name: `svd/${name}${tile}`,
    code: (shared ? SUBGROUPS.prefix : '') + before + expand(source, { ...lane, ...values }),
    params,
    bindings: bind('table state left right *product'),
    constants: WG,
    ...(shared && { features: SUBGROUPS.features }),
  };
};
const COMBINE_PARAMS = fields('u32 a, u32 b, u32 c, u32 inner, u32 iterate, u32 revive, u32 span');
const INNER_PARAMS = fields('u32 a, u32 b, u32 c, u32 all, u32 iterate, u32 same, u32 span');
export const combine = (tile: Tile): KernelSpec =>
  product('combine', tile, COMBINE_PARAMS, withRandom, combineSource, { QUADS: combined(tile) / 4 });
export const inner = (tile: Tile): KernelSpec =>
  product('inner', tile, INNER_PARAMS, withTiles, innerSource, { QUADS: tile / 4, HIGH: isShared(tile) ? 1 : tile / 4 });
/** LANES invocations, a power of two up to WG, share a tile of 4 × 4: for GPUs. */
export const innerAcross: KernelSpec = {
  name: 'svd/innerAcross',
  code: withTiles + expand(innerAcrossSource, {}),
  params: INNER_PARAMS,
  bindings: bind('table state left right *product'),
  constants: { ...WG, LANES: 8 },
};
/** Tiles on and above the diagonal of `columns` × `columns`, as `inner` counts them for a product of columns with themselves. */
export const triangle = (columns: number, tile: Tile): number => {
  const half = ceilDiv(ceilDiv(columns, tile), 2);
  return half * (2 * half + 1);
};
export const cholesky: KernelSpec = {
  name: 'svd/cholesky',
  code: `${commonSource}\n${choleskySource}`,
  params: fields('u32 iterate, u32 factor, u32 out, u32 drop'),
  bindings: bind('table state *gram *result *columns'),
  constants: WG,
};
export const polish: KernelSpec = {
  name: 'svd/polish',
  code: `${commonSource}\n${polishSource}`,
  params: [],
  bindings: bind('table state gram *inverse'),
  constants: WG,
};
const meeting = `${commonSource}\n${rotationSource}\n${expand(meetSource, {})}\n`;
/** One round of a sweep. LANES invocations share eight columns: 1 on software adapters, a power of two on GPUs. */
export const jacobi: KernelSpec = {
  name: 'svd/jacobi',
  code: meeting + jacobiSource,
  params: fields('u32 round, u32 kind, f32 idle'),
  bindings: bind('table state *y *v *off'),
  constants: { LANES: 1, PAIRS: 8 },
};
const meetingLanes = `${SUBGROUPS.prefix}${commonSource}\n${rotationSource}\n${expand(meetLanesSource, {
  turnX: expand(turnLanesSource, { SWAP: 'quadSwapX', A: 5, B: 4, C: 7, D: 6 }),
  turnY: expand(turnLanesSource, { SWAP: 'quadSwapY', A: 6, B: 7, C: 4, D: 5 }),
})}\n`;
/** One round of a sweep of `rounds` + 2, by four lanes of a subgroup together, on software adapters with subgroups. */
export const jacobiLanes: KernelSpec = {
  name: 'svd/jacobi4',
  code: meetingLanes + jacobiLanesSource,
  params: fields('u32 round, u32 kind, f32 idle'),
  bindings: bind('table state *y *v *off'),
  features: SUBGROUPS.features,
};
/** All sweeps, a workgroup of LANES × PAIRS for each matrix: for GPUs. */
export const sweeps: KernelSpec = {
  name: 'svd/sweeps',
  code: meeting + sweepsSource,
  params: fields('u32 kind, u32 sweeps, f32 idle, f32 tolerance, f32 check'),
  bindings: bind('table gram *state *y *v'),
  constants: { LANES: 8, PAIRS: 12 },
};
/** All sweeps, four lanes of a subgroup for each matrix: for software adapters with subgroups. */
export const sweepsLanes: KernelSpec = {
  name: 'svd/sweeps4',
  code: meetingLanes + sweepsLanesSource,
  params: fields('u32 kind, u32 sweeps, f32 idle, f32 tolerance, f32 check'),
  bindings: bind('table gram *state *y *v'),
  features: SUBGROUPS.features,
};
/** Size of `square`: columns that it takes at most, a multiple of four, and invocations for each pair of them. */
export interface Square {
  readonly side: number;
  readonly lanes: number;
}
/** All sweeps over a square that fits a workgroup's memory: for GPUs. */
export const square = ({ side, lanes }: Square): KernelSpec => ({
  name: `svd/square${side}x${lanes}`,
  code: `${commonSource}\n${rotationSource}\n${expand(squareSource, { HELD: ceilDiv(side / 4, lanes) })}`,
  params: fields('u32 kind, u32 sweeps, f32 tolerance'),
  bindings: bind('table state *y'),
  constants: { SIDE: side, LANES: lanes },
});
/** The largest square for at most `columns` that fits `memory` bytes and `invocations` of a workgroup. */
export function squareFor(columns: number, memory: number, invocations: number, lanes = 8): Square {
  // Two words more than the columns and the partial sums.
  const fits = (side: number) => 16 * ((side * side) / 4 + (lanes * side) / 2) + 8 <= memory && (lanes * side) / 2 <= invocations;
  let side = 4;
  while (side < columns && fits(side + 4)) side += 4;
  return { side, lanes };
}
export const advance: KernelSpec = {
  name: 'svd/advance',
  code: `${commonSource}\n${advanceSource}`,
  params: fields('u32 count, f32 tolerance, u32 again, u32 nothing, u32 checked'),
  bindings: bind('*state *off'),
};
export const norms: KernelSpec = {
  name: 'svd/norms',
  code: `${commonSource}\n${normsSource}`,
  params: [],
  bindings: bind('table state y *columns'),
  constants: WG,
};
export const order: KernelSpec = {
  name: 'svd/order',
  code: `${commonSource}\n${orderSource}`,
  params: fields('u32 exact'),
  bindings: bind('table *state columns *sigma *origin'),
  constants: WG,
};
export const place: KernelSpec = {
  name: 'svd/place',
  code: `${commonSource}\n${placeSource}`,
  params: fields('u32 left'),
  bindings: bind('table state columns origin y v *factors'),
  constants: { ...WG, EACH: 1 },
};
export const parallel: KernelSpec = {
  name: 'svd/parallel',
  code: `${commonSource}\n${rotationSource}\n${parallelSource}`,
  params: [],
  bindings: bind('table state gram *off'),
  constants: WG,
};
export const verify: KernelSpec = {
  name: 'svd/verify',
  code: `${commonSource}\n${verifySource}`,
  params: [],
  bindings: bind('table state gram *off'),
  constants: WG,
};
export const residual: KernelSpec = {
  name: 'svd/residual',
  code: `${commonSource}\n${residualSource}`,
  params: [],
  bindings: bind('table state z factors sigma *columns'),
  constants: WG,
};

/** Pairs of four-column blocks that meet in one round of a sweep over `columns`, and the rounds of the sweep. */
export function tournament(columns: number): { readonly meetings: number; readonly rounds: number } {
  const blocks = Math.ceil(columns / 4);
  const players = Math.max(2, blocks + (blocks & 1));
  return { meetings: players / 2, rounds: players - 1 };
}

/** Grid of `threads` invocations per matrix for `count` matrices. */
export const perMatrix = (threads: number, count: number, group = 64): Grid => [Math.max(1, ceilDiv(threads, group)), count, 1];
