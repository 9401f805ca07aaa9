/** Float64 singular value decomposition, written from the definition: the judge of the GPU's. */

export interface Svd64 {
  /** Row-major rows × k, k = min(rows, cols). */
  u: Float64Array;
  s: Float64Array;
  /** Row-major cols × k. */
  v: Float64Array;
  k: number;
}

/** One-sided Jacobi in cyclic order until rounding; U of a zero singular value is zero. */
export function svd64(data: ArrayLike<number>, rows: number, cols: number): Svd64 {
  if (rows < cols) {
    const t = new Float64Array(rows * cols);
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) t[j * rows + i] = data[i * cols + j]!;
    const { u, s, v, k } = svd64(t, cols, rows);
    return { u: v, s, v: u, k };
  }
  const k = cols;
  const y = Array.from({ length: k }, (_, j) => Float64Array.from({ length: rows }, (_, i) => data[i * cols + j]!));
  const v = Array.from({ length: k }, (_, j) => Float64Array.from({ length: k }, (_, i) => (i === j ? 1 : 0)));
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const turn = (a: Float64Array, b: Float64Array, c: number, s: number) => {
    for (let i = 0; i < a.length; i++) {
      const x = a[i]!;
      const z = b[i]!;
      a[i] = c * x - s * z;
      b[i] = s * x + c * z;
    }
  };
  for (let sweep = 0; sweep < 60; sweep++) {
    let worst = 0;
    for (let i = 0; i < k; i++)
      for (let j = i + 1; j < k; j++) {
        const a = dot(y[i]!, y[i]!);
        const b = dot(y[j]!, y[j]!);
        const g = dot(y[i]!, y[j]!);
        const norms = Math.sqrt(a) * Math.sqrt(b);
        if (!(norms > 1e-290) || Math.abs(g) < 1e-15 * norms) continue;
        worst = Math.max(worst, Math.abs(g) / norms);
        const zeta = (b - a) / (2 * g);
        const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        turn(y[i]!, y[j]!, c, c * t);
        turn(v[i]!, v[j]!, c, c * t);
      }
    if (worst < 1e-14) break;
  }
  const norms = y.map((column) => Math.sqrt(dot(column, column)));
  const order = norms.map((_, i) => i).sort((i, j) => norms[j]! - norms[i]!);
  const u = new Float64Array(rows * k);
  const w = new Float64Array(k * k);
  order.forEach((o, c) => {
    for (let i = 0; i < rows; i++) u[i * k + c] = norms[o]! > 0 ? y[o]![i]! / norms[o]! : 0;
    for (let i = 0; i < k; i++) w[i * k + c] = v[o]![i]!;
  });
  return { u, s: Float64Array.from(order, (o) => norms[o]!), v: w, k };
}

/** Largest |QᵀQ − I| over the columns of a row-major length × count matrix that `keep` admits. */
export function orthonormality(
  q: ArrayLike<number>,
  length: number,
  count: number,
  keep: (column: number) => boolean = () => true,
): number {
  let worst = 0;
  for (let a = 0; a < count; a++)
    for (let b = 0; b <= a; b++) {
      if (!keep(a) || !keep(b)) continue;
      let sum = 0;
      for (let i = 0; i < length; i++) sum += q[i * count + a]! * q[i * count + b]!;
      worst = Math.max(worst, Math.abs(sum - (a === b ? 1 : 0)));
    }
  return worst;
}

/** U diag(s) Vᵀ, row-major rows × cols. */
export function recompose(u: ArrayLike<number>, s: ArrayLike<number>, v: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const k = s.length;
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let c = 0; c < k; c++) sum += u[i * k + c]! * s[c]! * v[j * k + c]!;
      out[i * cols + j] = sum;
    }
  return out;
}
