import { columnChunks, columnSum, columnSumGrid, columnSumHalves } from '../../../kernels/reduce/reduce';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';

export interface ColumnSumArgs {
  readonly rows: number;
  readonly cols: number;
  /** f32 [rows, cols], row pitch `stride` elements, from element `first` on. */
  readonly input: View;
  /** The input is stored in half precision; cols, stride and first are multiples of 4 then. */
  readonly halves?: boolean | undefined;
  /** f32 [cols]; not part of the input's buffer. */
  readonly out: View;
  /** At least `columnSumScratch(rows, cols)` elements; unused when that is 0. */
  readonly scratch: View;
  readonly stride?: number;
  readonly first?: number;
  readonly label?: string;
}

/** Elements of scratch a column sum needs. */
export function columnSumScratch(rows: number, cols: number): number {
  const { chunks } = columnChunks(rows);
  return chunks > 1 ? chunks * cols : 0;
}

/** out[c] = Σ_r input[r, c]: bias gradients. One or two dispatches, bitwise reproducible. */
export function recordColumnSum(recorder: Recorder, args: ColumnSumArgs): void {
  const { rows, cols, input, halves = false, out, scratch, stride = cols, first = 0, label = 'columnSum' } = args;
  const { chunk, chunks } = columnChunks(rows);
  recorder.dispatch(halves ? columnSumHalves : columnSum, {
    params: { rows, cols, stride, first, chunk },
    buffers: [input, chunks > 1 ? scratch : out],
    grid: columnSumGrid(halves ? cols / 4 : cols, chunks),
    work: rows * cols,
    label,
  });
  if (chunks > 1)
    recorder.dispatch(columnSum, {
      params: { rows: chunks, cols, stride: cols, first: 0, chunk: chunks },
      buffers: [scratch, out],
      grid: columnSumGrid(cols, 1),
      work: chunks * cols,
      label: `${label}.finish`,
    });
}
