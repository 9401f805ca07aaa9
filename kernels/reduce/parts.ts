import halvesLib from '../lib/halves.wgsl?raw';
import { ceilDiv, expand, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import columnParts from './columnParts.wgsl?raw';
import finish from './finish.wgsl?raw';

const build = (halves: boolean): KernelSpec => ({
  name: halves ? 'reduce/columnParts.halves' : 'reduce/columnParts',
  code: (halves ? halvesLib : '') + expand(columnParts, { STORED: halves ? 'vec2u' : 'vec4f', UNPACK: halves ? 'unpack_halves' : '' }),
  params: fields('u32 rows, u32 cols, u32 chunk'),
  bindings: [
    { name: 'input', access: 'read' },
    { name: 'output', access: 'readwrite' },
  ],
});
const COLUMN_PARTS = { f32: build(false), halves: build(true) };

/** Sums over chunks of rows, of a matrix whose columns are a multiple of 4; see the header of columnParts.wgsl. */
export const columnPartsKernel = (halves: boolean): KernelSpec => (halves ? COLUMN_PARTS.halves : COLUMN_PARTS.f32);

/** Workgroups that keep a graphics card busy. */
const FILL = 512;
/** Rows that a thread has at the least: four. */
const LEAST = 64;

/** The rows of a workgroup of `columnPartsKernel`, and how many chunks that makes. */
export function columnPartsChunks(rows: number, cols: number): { chunk: number; chunks: number } {
  const chunk = LEAST * Math.max(1, Math.floor((rows * ceilDiv(cols, 64)) / (LEAST * FILL)));
  return { chunk, chunks: ceilDiv(rows, chunk) };
}

export const columnPartsGrid = (cols: number, chunks: number): Grid => [ceilDiv(cols, 64), chunks, 1];

/** Sums that one dispatch of `finishSums` adds up. */
export const MAX_SUMS = 8;

/** A sum over rows of partial sums, in elements of the two buffers. */
export interface PartialSum {
  /** First element of the partial sums, those between their rows, and how many rows. */
  readonly from: number;
  readonly pitch: number;
  readonly chunks: number;
  readonly cols: number;
  /** First element of the result. */
  readonly to: number;
}

const NAMES = ['end', 'from', 'pitch', 'chunks', 'to', 'cols', 'spare', 'rest'] as const;

/** Adds up what several kernels left, see the header of finish.wgsl. */
export const finishSums: KernelSpec = {
  name: 'reduce/finish',
  code: expand(finish, { WORDS: 2 * MAX_SUMS }),
  params: Array.from({ length: MAX_SUMS }, (_, i) => NAMES.map((name) => ({ name: `${name}${i}`, type: 'u32' as const }))).flat(),
  bindings: [
    { name: 'parts', access: 'read' },
    { name: 'grads', access: 'readwrite' },
  ],
};

/** Scalars and grid of `finishSums`. @throws Error for more than `MAX_SUMS` sums. */
export function finishLaunch(sums: readonly PartialSum[]): { params: Record<string, number>; grid: Grid } {
  if (sums.length > MAX_SUMS) throw new Error(`reduce/finish: ${sums.length} sums are more than ${MAX_SUMS}`);
  const params: Record<string, number> = {};
  let end = 0;
  for (let i = 0; i < MAX_SUMS; i++) {
    const sum = sums[i] ?? { from: 0, pitch: 0, chunks: 0, cols: 0, to: 0 };
    end += ceilDiv(sum.cols, 16);
    for (const name of NAMES) params[`${name}${i}`] = name === 'end' ? end : name === 'spare' || name === 'rest' ? 0 : sum[name];
  }
  return { params, grid: foldGrid(end) };
}
