import { layerNormBackward, layerNormBackwardChunks, layerNormBackwardGrid } from '../../../kernels/layerNorm/backward';
import { affineWidth, layerNorm, layerNormFinish, layerNormGrid, type LayerNormVariant } from '../../../kernels/layerNorm/layerNorm';
import { columnChunks, columnSumGrid } from '../../../kernels/reduce/reduce';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';
import { partsElements, type PendingSums } from './pendingSums';

/** timm's ViT; PyTorch's own default is 1e-5. */
export const LAYER_NORM_EPSILON = 1e-6;

export interface LayerNormArgs {
  readonly rows: number;
  readonly cols: number;
  /** f32 [rows, cols]. */
  readonly x: View;
  readonly gamma: View;
  readonly beta: View;
  /** f32 [rows, cols]. */
  readonly y: View;
  /** f32 [rows, 2]: mean and 1/√(variance + ε), for the backward pass. */
  readonly stats: View;
  /** y is stored in half precision; cols is a multiple of 4 then. */
  readonly halves?: boolean | undefined;
  readonly variant?: LayerNormVariant;
  readonly label?: string;
}

const variantOf = (recorder: Recorder): LayerNormVariant => (recorder.gpu.info.software ? 'rows' : 'lanes');

/** y = (x − mean)/√(var + 1e-6) · γ + β over each row. */
export function recordLayerNorm(recorder: Recorder, args: LayerNormArgs): void {
  const { rows, cols, x, gamma, beta, y, stats, halves, label = 'layerNorm' } = args;
  const variant = args.variant ?? variantOf(recorder);
  recorder.dispatch(layerNorm(variant, cols, halves).forward, {
    params: { rows, cols, epsilon: LAYER_NORM_EPSILON },
    buffers: [x, gamma, beta, y, stats],
    grid: layerNormGrid(variant, rows),
    work: 8 * rows * cols,
    label,
  });
}

/** y once more, from the statistics that the forward pass left. */
export function recordLayerNormAgain(recorder: Recorder, args: LayerNormArgs): void {
  const { rows, cols, x, gamma, beta, y, stats, halves, label = 'layerNorm' } = args;
  const variant = args.variant ?? variantOf(recorder);
  recorder.dispatch(layerNorm(variant, cols, halves).again, {
    params: { rows, cols },
    buffers: [x, gamma, beta, stats, y],
    grid: layerNormGrid(variant, rows),
    work: 4 * rows * cols,
    label: `${label}.again`,
  });
}

export interface LayerNormBackwardArgs {
  readonly rows: number;
  readonly cols: number;
  /** f32 [rows, cols], gradient of y. */
  readonly dy: View;
  readonly x: View;
  readonly stats: View;
  readonly gamma: View;
  /** f32 [rows, cols]. */
  readonly dx: View;
  /** Adds to dx instead of writing it: the residual path. */
  readonly accumulate?: boolean;
  readonly dGamma: View;
  readonly dBeta: View;
  /** At least `layerNormScratch(rows, cols)` elements. */
  readonly scratch: View;
  /** dy is stored in half precision; cols is a multiple of 4 then. */
  readonly halves?: boolean | undefined;
  readonly variant?: LayerNormVariant;
  readonly label?: string;
}

/** Elements of scratch the backward pass needs. */
export const layerNormScratch = (rows: number, cols: number): number => 2 * columnChunks(rows).chunks * cols;

/** Gradients of input, γ and β: three dispatches. */
export function recordLayerNormBackward(recorder: Recorder, args: LayerNormBackwardArgs): void {
  const { rows, cols, dy, x, stats, gamma, dx, accumulate = false, dGamma, dBeta, scratch, halves, label = 'layerNorm' } = args;
  const variant = args.variant ?? variantOf(recorder);
  const { chunk, chunks } = columnChunks(rows);
  recorder.dispatch(layerNorm(variant, cols, halves).affine, {
    params: { rows, cols, chunk },
    buffers: [dy, x, stats, scratch],
    grid: columnSumGrid(cols / affineWidth(variant, cols, halves), chunks),
    work: 6 * rows * cols,
    label: `${label}.backwardAffine`,
  });
  recorder.dispatch(layerNormFinish, {
    params: { chunks, cols },
    buffers: [scratch, dGamma, dBeta],
    grid: columnSumGrid(cols, 1),
    work: 2 * chunks * cols,
    label: `${label}.finishAffine`,
  });
  recorder.dispatch(layerNorm(variant, cols, halves).backwardInput, {
    params: { rows, cols, accumulate: accumulate ? 1 : 0 },
    buffers: [dy, x, stats, gamma, dx],
    grid: layerNormGrid(variant, rows),
    work: 12 * rows * cols,
    label: `${label}.backwardInput`,
  });
}

export interface LayerNormBackwardOnceArgs extends Omit<LayerNormBackwardArgs, 'scratch' | 'variant'> {
  /** f32 [cols]: the column sums of what dx holds at the end. */
  readonly dSum?: View | undefined;
}

/** Elements of room that `recordLayerNormBackwardOnce` takes. */
export const layerNormParts = (rows: number, cols: number): number => partsElements(layerNormBackwardChunks(rows, cols).chunks, 3 * cols);

/**
 * The same gradients in one pass over the operands, for graphics cards: one dispatch, and dGamma, dBeta and dSum are there once `sums`
 * are recorded. See `fitsLayerNormBackward` for the columns.
 */
export function recordLayerNormBackwardOnce(recorder: Recorder, sums: PendingSums, args: LayerNormBackwardOnceArgs): void {
  const { rows, cols, dy, x, stats, gamma, dx, accumulate = false, dGamma, dBeta, dSum, halves = false, label = 'layerNorm' } = args;
  const { chunk, chunks } = layerNormBackwardChunks(rows, cols);
  const targets = [dGamma, dBeta, dSum].map((view, i) => ({ view, at: i * cols, cols }));
  const parts = sums.take(chunks, 3 * cols, targets);
  recorder.dispatch(layerNormBackward(cols, halves), {
    params: { rows, cols, accumulate: accumulate ? 1 : 0, chunk },
    buffers: [dy, x, stats, gamma, dx, parts],
    grid: layerNormBackwardGrid(chunks),
    work: 18 * rows * cols,
    label: `${label}.backward`,
  });
}
