import halvesLib from '../lib/halves.wgsl?raw';
import { ceilDiv, expand, fields, type Grid, type KernelSpec } from '../spec';
import source from './columnSum.wgsl?raw';

const build = (halves: boolean): KernelSpec => ({
  name: halves ? 'reduce/columnSum.halves' : 'reduce/columnSum',
  code:
    (halves ? halvesLib : '') +
    expand(source, { HALVES: halves ? 1 : 0, PLAIN: halves ? 0 : 1, STORED: halves ? 'vec2u' : 'f32', TYPE: halves ? 'vec4f' : 'f32' }),
  params: fields('u32 rows, u32 cols, u32 stride, u32 first, u32 chunk'),
  bindings: [
    { name: 'input', access: 'read' },
    { name: 'output', access: 'readwrite' },
  ],
  constants: { WG: 64 },
});

/** Column sums of a row-major matrix in chunks of rows; see the header of columnSum.wgsl. */
export const columnSum = build(false);
/** The same of a matrix in half precision, four columns to a thread. */
export const columnSumHalves = build(true);

export const columnSumGrid = (cols: number, chunks: number): Grid => [ceilDiv(cols, 64), Math.max(1, chunks), 1];

export interface ColumnChunks {
  /** Rows summed by one thread of the first stage. */
  readonly chunk: number;
  /** Partial rows the first stage leaves; 1 means that it already is the result. */
  readonly chunks: number;
}

/** How rows are split between the two stages: about √rows each, so that neither is a long serial loop. */
export function columnChunks(rows: number): ColumnChunks {
  if (rows <= 64) return { chunk: Math.max(1, rows), chunks: 1 };
  const chunk = ceilDiv(Math.ceil(Math.sqrt(rows)), 4) * 4;
  return { chunk, chunks: ceilDiv(rows, chunk) };
}
