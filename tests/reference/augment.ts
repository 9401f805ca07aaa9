/** Float64 references of kernels/gather: what happens to one image, planes [C, S, S] of values 0 to 255. */
import type { Draw } from '../../kernels/gather/augment';

/** The affine map of a record, bilinear, black outside. */
export function warp(pixels: ArrayLike<number>, channels: number, size: number, { a, t }: Pick<Draw, 'a' | 't'>): Float64Array {
  const out = new Float64Array(channels * size * size);
  const middle = (size - 1) / 2;
  const at = (c: number, x: number, y: number): number =>
    x >= 0 && x < size && y >= 0 && y < size ? pixels[(c * size + y) * size + x]! : 0;
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const [u, v] = [x - middle, y - middle];
        const sx = a[0]! * u + a[1]! * v + t[0]! + middle;
        const sy = a[2]! * u + a[3]! * v + t[1]! + middle;
        const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
        const [fx, fy] = [sx - x0, sy - y0];
        out[(c * size + y) * size + x] =
          (1 - fy) * ((1 - fx) * at(c, x0, y0) + fx * at(c, x0 + 1, y0)) + fy * ((1 - fx) * at(c, x0, y0 + 1) + fx * at(c, x0 + 1, y0 + 1));
      }
  return out;
}

/** The colour operations of a record, by their numbers in colour.wgsl. */
export function colour(
  pixels: ArrayLike<number>,
  channels: number,
  plane: number,
  { kinds, amounts }: Pick<Draw, 'kinds' | 'amounts'>,
): Float64Array {
  let x = Float64Array.from(pixels);
  const channel = (c: number): Float64Array => x.subarray(c * plane, (c + 1) * plane);
  const greyAt = (i: number): number => (channels === 3 ? 0.299 * x[i]! + 0.587 * x[plane + i]! + 0.114 * x[2 * plane + i]! : x[i]!);
  kinds.forEach((kind, k) => {
    if (kind === 0) return;
    const f = amounts[k]!;
    const grey = Float64Array.from({ length: plane }, (_, i) => greyAt(i));
    const mean = grey.reduce((a, b) => a + b, 0) / plane;
    const ranges = Array.from({ length: channels }, (_, c) => [Math.min(...channel(c)), Math.max(...channel(c))] as const);
    x = x.map((v, i) => {
      const [low, high] = ranges[Math.floor(i / plane)]!;
      const changed =
        kind === 6
          ? f * v
          : kind === 7
            ? channels === 3
              ? f * v + (1 - f) * grey[i % plane]!
              : v
            : kind === 8
              ? f * v + (1 - f) * mean
              : kind === 9
                ? Math.floor(v / f + 1e-4) * f
                : kind === 10
                  ? v >= f
                    ? 255 - v
                    : v
                  : high > low
                    ? ((v - low) * 255) / (high - low)
                    : v;
      return Math.min(255, Math.max(0, changed));
    });
  });
  return x;
}

/** Resizing with a triangle filter, antialiased when shrinking, written as two passes of row weights. */
export function resample(pixels: ArrayLike<number>, channels: number, size: number, out: number): Float64Array {
  const ratio = size / out;
  const half = Math.max(1, ratio);
  const weights = Array.from({ length: out }, (_, i) => {
    const row = Array.from({ length: size }, (_, j) => Math.max(0, 1 - Math.abs(j + 0.5 - (i + 0.5) * ratio) / half));
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((w) => w / total);
  });
  const result = new Float64Array(channels * out * out);
  for (let c = 0; c < channels; c++) {
    const wide = Array.from({ length: size }, (_, y) =>
      weights.map((row) => row.reduce((sum, w, x) => sum + w * pixels[(c * size + y) * size + x]!, 0)),
    );
    for (let y = 0; y < out; y++)
      for (let x = 0; x < out; x++) result[(c * out + y) * out + x] = weights[y]!.reduce((sum, w, j) => sum + w * wide[j]![x]!, 0);
  }
  return result;
}
