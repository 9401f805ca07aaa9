/** Float64 reference of kernels/crossEntropy. */
export function crossEntropy(
  rows: number,
  classes: number,
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  smoothing: number,
): { losses: Float64Array; correct: number[]; dLogits: Float64Array } {
  const losses = new Float64Array(rows);
  const dLogits = new Float64Array(rows * classes);
  const correct: number[] = [];
  for (let r = 0; r < rows; r++) {
    const z = Array.from({ length: classes }, (_, j) => logits[r * classes + j]!);
    const top = Math.max(...z);
    const total = z.reduce((sum, v) => sum + Math.exp(v - top), 0);
    z.forEach((v, j) => {
      const target = (j === labels[r] ? 1 - smoothing : 0) + smoothing / classes;
      const logP = v - top - Math.log(total);
      losses[r]! -= target * logP;
      dLogits[r * classes + j] = (Math.exp(logP) - target) / rows;
    });
    correct.push(z.indexOf(top) === labels[r] ? 1 : 0);
  }
  return { losses, correct, dLogits };
}
