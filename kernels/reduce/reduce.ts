import { ceilDiv, fields, type Grid, type KernelSpec } from '../spec';
import source from './columnSum.wgsl?raw';

/** Column sums of a row-major matrix in chunks of rows; see the header of columnSum.wgsl. */
export const columnSum: KernelSpec = {
  name: 'reduce/columnSum',
  code: source,
  params: fields('u32 rows, u32 cols, u32 stride, u32 first, u32 chunk'),
  bindings: [
    { name: 'input', access: 'read' },
    { name: 'output', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

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
