import { columnPartsChunks, columnPartsGrid, columnPartsKernel, finishLaunch, finishSums, MAX_SUMS } from '../../../kernels/reduce/parts';
import { alignBytes, slice, type View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';

/** Elements that rows of partial sums take up: what a kernel writes starts where bindings may. */
export const partsElements = (chunks: number, cols: number): number => alignBytes(4 * chunks * cols) / 4;

interface Waiting {
  readonly target: View;
  readonly from: number;
  readonly pitch: number;
  readonly chunks: number;
  readonly cols: number;
}

/**
 * Sums over rows whose first stage is recorded, and whose partial sums wait in a buffer to be added up in one dispatch: a small
 * dispatch costs a graphics card as much as a far larger one.
 */
export class PendingSums {
  private used = 0;
  private waiting: Waiting[] = [];

  /** `room`: f32, as many elements as what is taken until `record`. Its contents are overwritten. */
  constructor(private readonly room: View) {}

  /**
   * Room for `chunks` rows of `pitch` elements, of which each target [cols] gets the sum over those from element `at` on: all of them, or as
   * many as it says. What is taken first lies at the start of the room. @throws Error when full
   */
  take(
    chunks: number,
    pitch: number,
    targets: readonly { readonly view: View | undefined; readonly at: number; readonly cols: number; readonly chunks?: number }[],
  ): View {
    const elements = partsElements(chunks, pitch);
    const from = this.used;
    if ((from + elements) * 4 > this.room.size)
      throw new Error(`partial sums: ${from + elements} elements do not fit into ${this.room.size / 4}`);
    this.used += elements;
    for (const { view, at, ...size } of targets)
      if (view) this.waiting.push({ target: view, from: from + at, pitch, ...{ chunks, ...size } });
    return slice(this.room, from, chunks * pitch);
  }

  /** Adds up what waits. The targets lie in one buffer. */
  record(recorder: Recorder, label: string): void {
    const { waiting, room } = this;
    this.waiting = [];
    this.used = 0;
    for (let i = 0; i < waiting.length; i += MAX_SUMS) {
      const some = waiting.slice(i, i + MAX_SUMS);
      const { buffer } = some[0]!.target;
      if (some.some(({ target }) => target.buffer !== buffer)) throw new Error(`${label}: the sums go to different buffers`);
      const offset = Math.min(...some.map(({ target }) => target.offset));
      const size = Math.max(...some.map(({ target, cols }) => target.offset + 4 * cols)) - offset;
      const sums = some.map(({ target, ...rest }) => ({ ...rest, to: (target.offset - offset) / 4 }));
      recorder.dispatch(finishSums, {
        ...finishLaunch(sums),
        buffers: [room, { buffer, offset, size }],
        work: sums.reduce((all, { chunks, cols }) => all + chunks * cols, 0),
        label,
      });
    }
  }
}

export interface ColumnPartsArgs {
  readonly rows: number;
  /** A multiple of 4. */
  readonly cols: number;
  /** f32 [rows, cols], or in half precision. */
  readonly input: View;
  readonly halves?: boolean | undefined;
  /** f32 [cols]. */
  readonly out: View;
  /** Rows of a workgroup, for tests: by default no more than keep the device busy. */
  readonly chunk?: number | undefined;
  readonly label?: string;
}

/** Elements of room that `recordColumnParts` takes. */
export const columnPartsElements = (rows: number, cols: number): number => partsElements(columnPartsChunks(rows, cols).chunks, cols);

/** out[c] = Σ_r input[r, c], there once `sums` are recorded: bias gradients on a graphics card. */
export function recordColumnParts(recorder: Recorder, sums: PendingSums, args: ColumnPartsArgs): void {
  const { rows, cols, input, halves = false, out, label = 'columnSum' } = args;
  const { chunk = columnPartsChunks(rows, cols).chunk } = args;
  const chunks = Math.ceil(rows / chunk);
  const parts = sums.take(chunks, cols, [{ view: out, at: 0, cols }]);
  recorder.dispatch(columnPartsKernel(halves), {
    params: { rows, cols, chunk },
    buffers: [input, parts],
    grid: columnPartsGrid(cols, chunks),
    work: rows * cols,
    label,
  });
}
