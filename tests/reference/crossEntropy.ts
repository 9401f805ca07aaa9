/** Float64 reference of kernels/crossEntropy. */
export function crossEntropy(
  rows: number,
  classes: number,
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  smoothing: number,
  /** Share of a row's own label; the rest is that of the row as far from the other end. */
  weight = 1,
  meanOf = rows,
): { losses: Float64Array; correct: number[]; dLogits: Float64Array } {
  const losses = new Float64Array(rows);
  const dLogits = new Float64Array(rows * classes);
  const correct: number[] = [];
  for (let r = 0; r < rows; r++) {
    const z = Array.from({ length: classes }, (_, j) => logits[r * classes + j]!);
    const top = Math.max(...z);
    const total = z.reduce((sum, v) => sum + Math.exp(v - top), 0);
    const partner = labels[rows - 1 - r];
    z.forEach((v, j) => {
      const hard = weight * Number(j === labels[r]) + (1 - weight) * Number(j === partner);
      const target = (1 - smoothing) * hard + smoothing / classes;
      const logP = v - top - Math.log(total);
      losses[r]! -= target * logP;
      dLogits[r * classes + j] = (Math.exp(logP) - target) / meanOf;
    });
    correct.push(z.indexOf(top) === (weight >= 0.5 ? labels[r] : partner) ? 1 : 0);
  }
  return { losses, correct, dLogits };
}
