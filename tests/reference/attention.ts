/** Float64 references of kernels/attention, straight from the definitions with every T × T matrix spelled out. */

export interface Attention {
  batch: number;
  tokens: number;
  queries: number;
  heads: number;
  headSize: number;
}

/** Softmax weights [B, heads, TQ, T]. */
function weights(s: Attention, qkv: ArrayLike<number>): Float64Array {
  const { batch, tokens, queries, heads, headSize } = s;
  const C = heads * headSize;
  const out = new Float64Array(batch * heads * queries * tokens);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let q = 0; q < queries; q++) {
        const row = ((b * heads + h) * queries + q) * tokens;
        let top = -Infinity;
        for (let k = 0; k < tokens; k++) {
          let score = 0;
          for (let d = 0; d < headSize; d++)
            score += qkv[(b * tokens + q) * 3 * C + h * headSize + d]! * qkv[(b * tokens + k) * 3 * C + C + h * headSize + d]!;
          out[row + k] = score / Math.sqrt(headSize);
          top = Math.max(top, out[row + k]!);
        }
        let sum = 0;
        for (let k = 0; k < tokens; k++) sum += out[row + k] = Math.exp(out[row + k]! - top);
        for (let k = 0; k < tokens; k++) out[row + k]! /= sum;
      }
  return out;
}

/** Weights of `count` queries from `first` on, averaged: [B, heads, T]. */
export function attentionMap(s: Attention, qkv: ArrayLike<number>, first: number, count: number): Float64Array {
  const { batch, tokens, queries, heads } = s;
  const w = weights(s, qkv);
  return Float64Array.from({ length: batch * heads * tokens }, (_, i) => {
    const row = Math.floor(i / tokens) * queries + first;
    let sum = 0;
    for (let q = 0; q < count; q++) sum += w[(row + q) * tokens + (i % tokens)]!;
    return sum / count;
  });
}

/**
 * Attention rollout of B images, [layers, B, T], by whole T × T products: rows `first` to `first` + `count` of Â_l … Â_0, averaged, with
 * Â = (mean over heads of A + I) / 2.
 */
export function attentionRollout(s: Attention, qkvs: readonly ArrayLike<number>[], first: number, count: number): Float64Array {
  const { batch, tokens: T, heads } = s;
  const layers = qkvs.map((qkv) => weights(s, qkv));
  const out = new Float64Array(layers.length * batch * T);
  for (let b = 0; b < batch; b++) {
    let product = Float64Array.from({ length: T * T }, (_, i) => Number(i % T === Math.floor(i / T)));
    layers.forEach((w, l) => {
      const hat = Float64Array.from({ length: T * T }, (_, i) => {
        let sum = 0;
        for (let h = 0; h < heads; h++) sum += w[(b * heads + h) * T * T + i]!;
        return (sum / heads + Number(i % T === Math.floor(i / T))) / 2;
      });
      product = Float64Array.from({ length: T * T }, (_, i) => {
        let sum = 0;
        for (let k = 0; k < T; k++) sum += hat[Math.floor(i / T) * T + k]! * product[k * T + (i % T)]!;
        return sum;
      });
      for (let k = 0; k < T; k++) {
        let sum = 0;
        for (let q = first; q < first + count; q++) sum += product[q * T + k]!;
        out[(l * batch + b) * T + k] = sum / count;
      }
    });
  }
  return out;
}

/** out [B, TQ, C]. */
export function attentionForward(s: Attention, qkv: ArrayLike<number>): Float64Array {
  const { batch, tokens, queries, heads, headSize } = s;
  const C = heads * headSize;
  const w = weights(s, qkv);
  const out = new Float64Array(batch * queries * C);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let q = 0; q < queries; q++)
        for (let k = 0; k < tokens; k++)
          for (let d = 0; d < headSize; d++)
            out[(b * queries + q) * C + h * headSize + d]! +=
              w[((b * heads + h) * queries + q) * tokens + k]! * qkv[(b * tokens + k) * 3 * C + 2 * C + h * headSize + d]!;
  return out;
}

/** dQkv [B, T, 3C] of Σ dOut ∘ out, through the softmax Jacobian. */
export function attentionBackward(s: Attention, qkv: ArrayLike<number>, dOut: ArrayLike<number>): Float64Array {
  const { batch, tokens, queries, heads, headSize } = s;
  const C = heads * headSize;
  const w = weights(s, qkv);
  const out = new Float64Array(batch * tokens * 3 * C);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let q = 0; q < queries; q++) {
        const row = ((b * heads + h) * queries + q) * tokens;
        const dW = new Float64Array(tokens);
        let mean = 0;
        for (let k = 0; k < tokens; k++) {
          for (let d = 0; d < headSize; d++)
            dW[k]! += dOut[(b * queries + q) * C + h * headSize + d]! * qkv[(b * tokens + k) * 3 * C + 2 * C + h * headSize + d]!;
          mean += w[row + k]! * dW[k]!;
        }
        for (let k = 0; k < tokens; k++) {
          const dScore = (w[row + k]! * (dW[k]! - mean)) / Math.sqrt(headSize);
          const atQ = (b * tokens + q) * 3 * C + h * headSize;
          const atK = (b * tokens + k) * 3 * C + C + h * headSize;
          for (let d = 0; d < headSize; d++) {
            out[atQ + d]! += dScore * qkv[atK + d]!;
            out[atK + d]! += dScore * qkv[atQ + d]!;
            out[atK + C + d]! += w[row + k]! * dOut[(b * queries + q) * C + h * headSize + d]!;
          }
        }
      }
  return out;
}
