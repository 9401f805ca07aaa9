/** Float64 references of kernels/layerNorm. */

/** y [rows, cols] and stats [rows, 2] (mean, 1/√(biased variance + epsilon)). */
export function layerNormForward(
  rows: number,
  cols: number,
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  epsilon: number,
): { y: Float64Array; stats: Float64Array } {
  const y = new Float64Array(rows * cols);
  const stats = new Float64Array(rows * 2);
  for (let r = 0; r < rows; r++) {
    let mean = 0;
    for (let c = 0; c < cols; c++) mean += x[r * cols + c]! / cols;
    let variance = 0;
    for (let c = 0; c < cols; c++) variance += (x[r * cols + c]! - mean) ** 2 / cols;
    const rstd = 1 / Math.sqrt(variance + epsilon);
    for (let c = 0; c < cols; c++) y[r * cols + c] = (x[r * cols + c]! - mean) * rstd * gamma[c]! + beta[c]!;
    stats.set([mean, rstd], 2 * r);
  }
  return { y, stats };
}

/** Gradients of Σ dy ∘ y. */
export function layerNormBackward(
  rows: number,
  cols: number,
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  dy: ArrayLike<number>,
  epsilon: number,
): { dx: Float64Array; dGamma: Float64Array; dBeta: Float64Array } {
  const { stats } = layerNormForward(rows, cols, x, gamma, new Float64Array(cols), epsilon);
  const dx = new Float64Array(rows * cols);
  const dGamma = new Float64Array(cols);
  const dBeta = new Float64Array(cols);
  for (let r = 0; r < rows; r++) {
    const [mean, rstd] = [stats[2 * r]!, stats[2 * r + 1]!];
    const xhat = (c: number): number => (x[r * cols + c]! - mean) * rstd;
    let first = 0;
    let second = 0;
    for (let c = 0; c < cols; c++) {
      const g = dy[r * cols + c]!;
      dGamma[c]! += g * xhat(c);
      dBeta[c]! += g;
      first += (g * gamma[c]!) / cols;
      second += (g * gamma[c]! * xhat(c)) / cols;
    }
    for (let c = 0; c < cols; c++) dx[r * cols + c] = rstd * (dy[r * cols + c]! * gamma[c]! - first - xhat(c) * second);
  }
  return { dx, dGamma, dBeta };
}
