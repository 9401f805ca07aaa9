/**
 * Inner size of a LoRA product: `spec` below 1 keeps that share of the matrix's parameters, ⌊f·m·n/(m+n)⌋ and at least 1; from 1
 * on it is the rank itself. May exceed min(rows, cols): the caller refuses that.
 */
export function loraRank(spec: number, rows: number, cols: number): number {
  return spec < 1 ? Math.max(1, Math.floor((spec * cols * rows) / (cols + rows))) : spec;
}
