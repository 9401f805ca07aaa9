/** Float64 Hoyer measure: the formulas of tests/golden/README.md. */
import { svd64 } from './svd';

/** ‖σ‖₁/‖σ‖₂ − 1, or (‖σ‖₁/‖σ‖₂)² − 1, and its gradient; directions of σ below 1e-6 σ₁ are left out. W row-major. */
export function hoyer64(w: ArrayLike<number>, rows: number, cols: number, square: boolean): { value: number; gradient: Float64Array } {
  const { u, s, v, k } = svd64(w, rows, cols);
  const n1 = s.reduce((a, b) => a + b, 0);
  const n2 = Math.sqrt(s.reduce((a, b) => a + b * b, 0));
  const gradient = new Float64Array(rows * cols);
  if (n2 === 0) return { value: 0, gradient };
  const h = n1 / n2;
  const outer = square ? 2 * h : 1;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      let uv = 0;
      for (let c = 0; c < k; c++) if (s[c]! > 1e-6 * s[0]!) uv += u[i * k + c]! * v[j * k + c]!;
      gradient[i * cols + j] = outer * (uv / n2 - (n1 / n2 ** 3) * w[i * cols + j]!);
    }
  return { value: square ? h * h - 1 : h - 1, gradient };
}
