/**
 * Position embeddings on another grid, as timm's `resample_abs_pos_embed` makes them: separable bicubic interpolation with
 * antialiasing (Keys' kernel with a = −1/2, widened by the scale when the grid shrinks; weights of positions outside are left out
 * and the rest normalised to 1), pixel centres at half positions.
 */

function keys(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((t - 5) * t + 8) * t * a - 4 * a;
  return 0;
}

/** Row i holds what output i takes from every input; rows sum to 1. float64 [to][from]. */
export function resampleWeights(from: number, to: number): Float64Array[] {
  const scale = from / to;
  const widen = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const center = scale * (i + 0.5);
    const first = Math.max(0, Math.trunc(center - 2 * widen + 0.5));
    const end = Math.min(from, Math.trunc(center + 2 * widen + 0.5));
    const row = new Float64Array(from);
    let sum = 0;
    for (let j = first; j < end; j++) sum += row[j] = keys((j - center + 0.5) / widen);
    return row.map((w) => w / sum);
  });
}

/** A square grid of vectors, [side, side, width] row-major, on a grid of side `to`. Sums are float64. */
export function resampleGrid(values: Float32Array, side: number, width: number, to: number): Float32Array<ArrayBuffer> {
  if (side === to) return values.slice();
  const weights = resampleWeights(side, to);
  const rows = new Float64Array(side * to * width);
  for (let y = 0; y < side; y++)
    weights.forEach((row, x) => {
      for (let j = 0; j < side; j++) {
        const w = row[j]!;
        if (w === 0) continue;
        for (let c = 0; c < width; c++) rows[(y * to + x) * width + c]! += w * values[(y * side + j) * width + c]!;
      }
    });
  const out = new Float32Array(to * to * width);
  const line = new Float64Array(to * width);
  weights.forEach((row, y) => {
    line.fill(0);
    for (let j = 0; j < side; j++) {
      const w = row[j]!;
      if (w === 0) continue;
      for (let i = 0; i < line.length; i++) line[i]! += w * rows[j * to * width + i]!;
    }
    out.set(line, y * to * width);
  });
  return out;
}
