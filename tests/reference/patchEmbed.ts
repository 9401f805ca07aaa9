/** Float64 references of kernels/patchEmbed and kernels/reduce. */

/** out [B, 1 + side², ch·P·P], row 0 of each image zero. */
export function patches(batch: number, channels: number, side: number, patch: number, images: ArrayLike<number>): Float64Array {
  const size = side * patch;
  const tokens = 1 + side * side;
  const length = channels * patch * patch;
  const out = new Float64Array(batch * tokens * length);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < size; y++)
        for (let x = 0; x < size; x++) {
          const token = 1 + Math.floor(y / patch) * side + Math.floor(x / patch);
          const element = (c * patch + (y % patch)) * patch + (x % patch);
          out[(b * tokens + token) * length + element] = images[((b * channels + c) * size + y) * size + x]!;
        }
  return out;
}

/** Sum over rows `first` to `rows` − 1. */
export function columnSum(rows: number, cols: number, input: ArrayLike<number>, first = 0): Float64Array {
  const out = new Float64Array(cols);
  for (let r = first; r < rows; r++) for (let c = 0; c < cols; c++) out[c]! += input[r * cols + c]!;
  return out;
}
