import { assemble, classRows, elementGrid, embedBackward, meanRows, patches } from '../../../kernels/patchEmbed/patchEmbed';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';

export interface PatchShape {
  readonly batch: number;
  readonly channels: number;
  /** Patches along a side. */
  readonly side: number;
  readonly patch: number;
}

/** images [B, ch, S, S] → out [B, 1 + side², ch·P·P]; row 0 of each image, the class token's, is zero. */
export function recordPatches(recorder: Recorder, shape: PatchShape, images: View, out: View, label = 'patches'): void {
  const { batch, channels, side, patch } = shape;
  const tokens = 1 + side * side;
  const runs = batch * tokens * channels * patch;
  recorder.dispatch(patches, {
    params: { runs, tokens, side, extent: patch, channels },
    buffers: [images, out],
    grid: elementGrid(runs),
    work: 4 * runs * patch,
    label,
  });
}

export interface TokenShape {
  readonly batch: number;
  readonly tokens: number;
  readonly cols: number;
}

/** x[b, 0] = cls + pos[0], x[b, t] += pos[t], in place on [B, T, C]. */
export function recordAssemble(recorder: Recorder, shape: TokenShape, cls: View, pos: View, x: View, label = 'assemble'): void {
  const count = shape.tokens * shape.cols;
  recorder.dispatch(assemble, {
    params: { ...shape },
    buffers: [cls, pos, x],
    grid: elementGrid(count),
    work: 2 * count * shape.batch,
    label,
  });
}

/** dPos [T, C] and dCls [C] from dx [B, T, C]; `tokenSums` [T, C] repeats dPos outside the gradient arena. */
export function recordEmbedBackward(
  recorder: Recorder,
  shape: TokenShape,
  dx: View,
  dPos: View,
  dCls: View,
  tokenSums: View,
  label = 'embed',
): void {
  const count = shape.tokens * shape.cols;
  recorder.dispatch(embedBackward, {
    params: { ...shape },
    buffers: [dx, dPos, dCls, tokenSums],
    grid: elementGrid(count),
    work: 2 * count * shape.batch,
    label: `${label}.backward`,
  });
}

/** Whose rows are taken, and how much work that is for each element written. */
const ROWS = {
  classRows: { kernel: classRows, reads: () => 1 },
  meanRows: { kernel: meanRows, reads: (s: TokenShape) => s.tokens },
} as const;

/** rows [B, C] of x [B, T, C], or the adjoint: dx [B, T, C] of dRows [B, C]. */
function recordRows(recorder: Recorder, kind: keyof typeof ROWS, shape: TokenShape, from: View, to: View, label: string, scatter: boolean) {
  const { kernel, reads } = ROWS[kind];
  const count = shape.batch * shape.cols * (scatter ? shape.tokens : 1);
  recorder.dispatch(kernel, {
    params: { count, tokens: shape.tokens, cols: shape.cols },
    buffers: [from, to],
    grid: elementGrid(count),
    ...(scatter && { constants: { SCATTER: 1 } }),
    work: count * (scatter ? 1 : reads(shape)),
    label: scatter ? `${label}.backward` : label,
  });
}

/** rows [B, C] = x [B, T, C] at the class token. */
export function recordClassRows(recorder: Recorder, shape: TokenShape, x: View, rows: View, label = 'classRows'): void {
  recordRows(recorder, 'classRows', shape, x, rows, label, false);
}

/** The adjoint: dx [B, T, C] is dRows [B, C] at the class token and zero elsewhere. */
export function recordClassRowsBackward(recorder: Recorder, shape: TokenShape, dRows: View, dx: View, label = 'classRows'): void {
  recordRows(recorder, 'classRows', shape, dRows, dx, label, true);
}

/** rows [B, C] = mean of x [B, T, C] over its patch tokens. */
export function recordMeanRows(recorder: Recorder, shape: TokenShape, x: View, rows: View, label = 'meanRows'): void {
  recordRows(recorder, 'meanRows', shape, x, rows, label, false);
}

/** The adjoint: dx [B, T, C] is dRows [B, C] / (T − 1) at the patch tokens and zero at the class token. */
export function recordMeanRowsBackward(recorder: Recorder, shape: TokenShape, dRows: View, dx: View, label = 'meanRows'): void {
  recordRows(recorder, 'meanRows', shape, dRows, dx, label, true);
}
