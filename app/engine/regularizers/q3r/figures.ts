export interface SpectrumFigures {
  /** e^H with H = −Σ p log p, p = σ / Σσ; 0 for a zero matrix. */
  readonly effectiveRank: number;
  /** ‖W‖²_F / σ₁²; 0 for a zero matrix. */
  readonly stableRank: number;
  /** Σ σ² up to the target rank over Σ σ²; 0 for a zero matrix. */
  readonly tailRatio: number;
}

/** Figures of a descending spectrum, in double precision. */
export function spectrumFigures(sigma: ArrayLike<number>, targetRank: number): SpectrumFigures {
  let sum = 0;
  let energy = 0;
  let head = 0;
  for (let i = 0; i < sigma.length; i++) {
    const s = sigma[i] ?? 0;
    sum += s;
    energy += s * s;
    if (i < targetRank) head += s * s;
  }
  const largest = sigma[0] ?? 0;
  if (!(sum > 0)) return { effectiveRank: 0, stableRank: 0, tailRatio: 0 };
  let entropy = 0;
  for (let i = 0; i < sigma.length; i++) {
    const p = (sigma[i] ?? 0) / sum;
    if (p > 0) entropy -= p * Math.log(p);
  }
  return { effectiveRank: Math.exp(entropy), stableRank: energy / (largest * largest), tailRatio: head / energy };
}

/** Spectral entropy H in nats of a spectrum; 0 for a zero matrix. */
export const spectralEntropy = (sigma: ArrayLike<number>): number => {
  const { effectiveRank } = spectrumFigures(sigma, 0);
  return effectiveRank > 0 ? Math.log(effectiveRank) : 0;
};
