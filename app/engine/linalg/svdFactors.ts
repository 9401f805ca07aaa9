import type { MatrixShape, TableLayout } from '../../../kernels/svd/table';
import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';

/** Columns beyond a sketch for which U and V have room: an envelope that an exact decomposition finds to reach further still fits. */
const SPARE = 16;
/** Columns of U and V that are kept of a matrix with k singular values, of which sketches find so many. */
export const keptColumns = (k: number, sketch: number): number => Math.min(k, sketch + Math.max(SPARE, Math.ceil(sketch / 2)));

/** The same for each of a batch; all columns where there is no sketch size. */
export const keptOf = (matrices: readonly MatrixShape[], sketches: readonly number[]): number[] =>
  matrices.map(({ rows, cols }, i) => keptColumns(Math.min(rows, cols), sketches[i] ?? Infinity));

/** A part of the state of a run: bytes of a size that does not change, of which these pieces exist; the others are 0. */
export interface SavedView {
  readonly name: string;
  readonly size: number;
  /** Where they are at present, and at which of the bytes each begins. */
  pieces(): readonly { readonly view: View; readonly at: number }[];
}

/** A view that is all there, and stays where it is. */
export const savedView = (view: View): SavedView => ({
  name: view.buffer.label,
  size: view.size,
  pieces: () => [{ view, at: 0 }],
});

/** Factors of the layout `present`, as bytes of the layout `whole`, which keeps all columns. */
export function savedFactors(factors: View, whole: TableLayout, present: () => TableLayout): SavedView {
  const pieces = () =>
    present().entries.flatMap((e, i) => {
      const all = whole.entries[i]!;
      return [
        { view: slice(factors, 4 * e.uAt, e.vAt > e.uAt ? 4 * e.pv * e.kept : 0), at: 16 * all.uAt },
        { view: slice(factors, 4 * e.vAt, 4 * e.kv * e.kept), at: 16 * all.vAt },
      ];
    });
  return { name: factors.buffer.label, size: Math.max(16, whole.factors * 16), pieces };
}

/** Puts the larger buffer `fresh` in the place of `factors`, with the columns that are there; queued before this returns. */
export function moveFactors(gpu: Gpu, factors: View, before: TableLayout, fresh: View, after: TableLayout): void {
  const encoder = gpu.device.createCommandEncoder({ label: 'svd.grow' });
  after.entries.forEach((e, i) => {
    const old = before.entries[i]!;
    for (const [from, to, height] of [
      [old.uAt, e.uAt, e.pv],
      [old.vAt, e.vAt, e.kv],
    ] as const)
      encoder.copyBufferToBuffer(factors.buffer, 16 * from, fresh.buffer, 16 * to, 16 * height * old.kept);
  });
  gpu.device.queue.submit([encoder.finish()]);
  gpu.buffers.exchange(factors, fresh);
}
