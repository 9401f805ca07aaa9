/**
 * Target rank of a rows × cols matrix. `spec` in [0, 1): that share of the shorter ('min') or longer ('max') side; an integer
 * above 1: that rank times the aspect ratio. Double precision and this order of operations, as the reference implementation.
 * A result of min(rows, cols) or more means that the matrix is not regularized.
 */
export function targetRank(spec: number, rows: number, cols: number, rule: 'min' | 'max'): number {
  const short = Math.min(rows, cols);
  const long = Math.max(rows, cols);
  if (spec < 1) return Math.floor(spec * (rule === 'min' ? short : long));
  return Math.floor(spec * (long / short));
}
