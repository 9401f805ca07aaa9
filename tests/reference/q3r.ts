/** Float64 Q3R: the formulas of tests/golden/README.md, word for word. */
import { svd64, type Svd64 } from './svd';

/** R(X) = L X M at the anchor's decomposition. X, R row-major rows × cols. */
export function operator64(anchor: Svd64, epsilon: number, x: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const { u, s, v, k } = anchor;
  const weight = Float64Array.from(s, (sigma) => (sigma > epsilon ? epsilon / sigma - 1 : 0));
  const half = (q: Float64Array, length: number, at: (i: number, j: number) => number, width: number) => {
    // (I + Q S Qᵀ) Z for Z of length × width.
    const g = new Float64Array(k * width);
    for (let c = 0; c < k; c++)
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let i = 0; i < length; i++) sum += q[i * k + c]! * at(i, j);
        g[c * width + j] = weight[c]! * sum;
      }
    const out = new Float64Array(length * width);
    for (let i = 0; i < length; i++)
      for (let j = 0; j < width; j++) {
        let sum = at(i, j);
        for (let c = 0; c < k; c++) sum += q[i * k + c]! * g[c * width + j]!;
        out[i * width + j] = sum;
      }
    return out;
  };
  const lx = half(u, rows, (i, j) => x[i * cols + j]!, cols);
  const t = half(v, cols, (j, i) => lx[i * cols + j]!, rows);
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[i * cols + j] = t[j * rows + i]!;
  return out;
}

/** F_ε = Σ f_ε(σ), f_ε(t) = t²/2 up to ε and ε² (log(t/ε) + 1/2) beyond. */
export function smoothed(sigma: ArrayLike<number>, epsilon: number): number {
  let sum = 0;
  for (let i = 0; i < sigma.length; i++) {
    const t = sigma[i]!;
    sum += t <= epsilon ? (t * t) / 2 : epsilon * epsilon * (Math.log(t / epsilon) + 0.5);
  }
  return sum;
}

/** F_ε of a matrix. */
export const objective = (w: ArrayLike<number>, rows: number, cols: number, epsilon: number): number =>
  smoothed(svd64(w, rows, cols).s, epsilon);

export const inner = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
