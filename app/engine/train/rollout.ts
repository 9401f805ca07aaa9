import type { AttentionShape } from '../../protocol/inspection';

/** One layer's attention weights, averaged over its heads: [count, queries, T], rows sum to one. */
export interface LayerAttention {
  /** T; 1 where the layer asked for the class token alone. */
  readonly queries: number;
  readonly weights: Float32Array;
}

/**
 * Attention rollout, [layers, count, T]: how much of each input token is in the token that the head reads, after layers 0 to l. With
 * A' = (A + I) / 2, half for what attention brings and half for what passes beside it, it is a row of A'_l A'_(l-1) … A'_0; each sums
 * to one. The row is multiplied from the left, so that no T × T product is made. Source: Abnar and Zuidema, arXiv 2005.00928, section 3.
 */
export function rollout(
  layers: readonly LayerAttention[],
  { count, tokens, query }: { readonly count: number } & Pick<AttentionShape, 'tokens' | 'query'>,
): Float32Array {
  const out = new Float32Array(layers.length * count * tokens);
  for (let b = 0; b < count; b++)
    for (let l = 0; l < layers.length; l++) {
      let row = new Float64Array(tokens);
      if (query === 'class') row[0] = 1;
      else row.fill(1 / (tokens - 1), 1);
      for (let k = l; k >= 0; k--) row = through(layers[k]!, row, b);
      out.set(row, (l * count + b) * tokens);
    }
  return out;
}

/** row (A + I) / 2 for image b. */
function through({ queries, weights }: LayerAttention, row: Float64Array<ArrayBuffer>, b: number): Float64Array<ArrayBuffer> {
  const tokens = row.length;
  const out = row.map((value) => value / 2);
  for (let q = 0; q < queries; q++) {
    const share = row[q]! / 2;
    if (share === 0) continue;
    const at = (b * queries + q) * tokens;
    for (let k = 0; k < tokens; k++) out[k]! += share * weights[at + k]!;
  }
  return out;
}
