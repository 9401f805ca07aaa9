/** Float64 AdamW and AdamQ3R update of one step, and the global norm: the formulas of the golden files' README. */
export interface AdamReference {
  w: Float64Array;
  m: Float64Array;
  v: Float64Array;
}

export interface AdamSettings {
  lr: number;
  beta1: number;
  beta2: number;
  adamEps: number;
  weightDecay: number;
}

export const adamStart = (w: ArrayLike<number>): AdamReference => ({
  w: Float64Array.from(w),
  m: new Float64Array(w.length),
  v: new Float64Array(w.length),
});

export function adamStep(
  s: AdamReference,
  grad: ArrayLike<number>,
  t: number,
  { lr, beta1, beta2, adamEps, weightDecay }: AdamSettings,
  clip = 1,
  reg?: ArrayLike<number>,
  decay: 'decoupled' | 'l2' = 'decoupled',
): void {
  for (let i = 0; i < s.w.length; i++) {
    const g = clip * grad[i]! + (decay === 'l2' ? weightDecay * s.w[i]! : 0);
    const kept = decay === 'l2' ? 1 : 1 - lr * weightDecay;
    s.m[i] = beta1 * s.m[i]! + (1 - beta1) * g;
    s.v[i] = beta2 * s.v[i]! + (1 - beta2) * g * g;
    const mHat = s.m[i]! / (1 - beta1 ** t);
    const vHat = s.v[i]! / (1 - beta2 ** t);
    s.w[i] = s.w[i]! * kept - (lr * mHat) / (Math.sqrt(vHat) + adamEps) - lr * (reg?.[i] ?? 0);
  }
}

export function norm(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! ** 2;
  return Math.sqrt(sum);
}
