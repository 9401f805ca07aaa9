import { erf } from './erf';

export interface MatmulCase {
  m: number;
  n: number;
  k: number;
  transA?: boolean;
  transB?: boolean;
  batch?: number;
  strideA?: number;
  strideB?: number;
  strideOut?: number;
  /** Elements between rows; items then lie side by side and have biases of their own. */
  rowOut?: number;
}
export interface MatmulInputs {
  a: ArrayLike<number>;
  b: ArrayLike<number>;
  bias?: ArrayLike<number>;
  gelu?: boolean;
  residual?: ArrayLike<number>;
  /** Contents of the output before: what `accumulate` adds to, and what lies between batch items. */
  before?: ArrayLike<number>;
  accumulate?: boolean;
}

/** Where the output's items and rows lie, and how many elements they span. */
export function outputLayout({ m, n, batch = 1, rowOut, strideOut = rowOut === undefined ? m * n : n }: MatmulCase) {
  return { strideOut, rowOut: rowOut ?? n, size: (batch - 1) * strideOut + (m - 1) * (rowOut ?? n) + n };
}

/** out and, before the GELU, z of out = op(a) op(b) with its epilogue, in float64. */
export function matmulReference(c: MatmulCase, x: MatmulInputs): { out: Float64Array; pre: Float64Array } {
  const { m, n, k, batch = 1, strideA = m * k, strideB = k * n } = c;
  const { strideOut, size, rowOut } = outputLayout(c);
  const out = Float64Array.from({ length: size }, (_, i) => x.before?.[i] ?? 0);
  const pre = new Float64Array(size);
  for (let item = 0; item < batch; item++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let z = x.bias?.[c.rowOut === undefined ? j : item * strideOut + j] ?? 0;
        for (let l = 0; l < k; l++)
          z += x.a[item * strideA + (c.transA ? l * m + i : i * k + l)]! * x.b[item * strideB + (c.transB ? j * k + l : l * n + j)]!;
        const at = item * strideOut + i * rowOut + j;
        pre[at] = z;
        if (x.gelu) z = 0.5 * z * (1 + erf(z / Math.SQRT2));
        out[at] = z + (x.residual?.[at] ?? 0) + (x.accumulate ? out[at]! : 0);
      }
  return { out, pre };
}
