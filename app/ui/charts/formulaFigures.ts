import type { EpsilonSchedule } from '../../protocol/experiment';
import type { Mark, MatrixSpectrum } from '../../protocol/messages';

/** ε before the first refresh. */
export const FIRST_EPSILON = 1e8;
/** ε of the linear schedule never falls below. */
const LEAST_EPSILON = 1e-5;

/** f_ε(σ): σ²/2 up to ε, ε² (ln(σ/ε) + 1/2) beyond; its limit 0 where ε is 0. */
export function surrogate(sigma: number, epsilon: number): number {
  if (sigma <= epsilon) return (sigma * sigma) / 2;
  return epsilon > 0 ? epsilon * epsilon * (Math.log(sigma / epsilon) + 0.5) : 0;
}
/** Singular value of R(W) that belongs to σ: min(σ, ε²/σ). */
export const pulled = (sigma: number, epsilon: number): number => (sigma <= epsilon ? sigma : (epsilon * epsilon) / sigma);
/** 1/max(σ/ε, 1), applied to either side of W in R: 1 up to ε. */
export const weightOf = (sigma: number, epsilon: number): number => (sigma <= epsilon ? 1 : epsilon / sigma);

/** What Q3R makes of a spectrum, in double precision. */
export interface Q3rFigures {
  readonly n: number;
  /** Target rank, below n. */
  readonly r: number;
  readonly epsilon: number;
  /** No refresh has set ε yet. */
  readonly waiting: boolean;
  readonly largest: number;
  /** σ_{r+1} of the weights as they are now. */
  readonly next: number;
  /** How many σ are above ε. */
  readonly above: number;
  /** F_ε, and the part of it that values above ε have. */
  readonly surrogate: number;
  readonly surrogateAbove: number;
  /** Σ min(σ, ε)². */
  readonly envelope: number;
  /** ‖W‖_F and ‖R(W)‖_F. */
  readonly norm: number;
  readonly pull: number;
}

/** Figures of a matrix that Q3R acts on. */
export function q3rFigures({ sigma, epsilon: known, targetRank: r }: Pick<MatrixSpectrum, 'sigma' | 'epsilon' | 'targetRank'>): Q3rFigures {
  const waiting = !Number.isFinite(known) || known >= FIRST_EPSILON;
  const epsilon = waiting ? FIRST_EPSILON : known;
  let above = 0;
  let sum = 0;
  let sumAbove = 0;
  let envelope = 0;
  let norm = 0;
  let pull = 0;
  for (const s of sigma) {
    const f = surrogate(s, epsilon);
    sum += f;
    if (s > epsilon) {
      above++;
      sumAbove += f;
    }
    envelope += Math.min(s, epsilon) ** 2;
    norm += s * s;
    pull += pulled(s, epsilon) ** 2;
  }
  return {
    n: sigma.length,
    r,
    epsilon,
    waiting,
    largest: sigma[0] ?? 0,
    next: sigma[r] ?? NaN,
    above,
    surrogate: sum,
    surrogateAbove: sumAbove,
    envelope,
    norm: Math.sqrt(norm),
    pull: Math.sqrt(pull),
  };
}

/** Refreshes up to and with `step`, for periods that may have changed on the way: step t refreshes when (t − 1) mod period is 0. */
export function refreshesUntil(step: number, period: number, marks: readonly Mark[] = []): number {
  const changes = marks.filter((m) => m.field === 'method.reweightEvery' && m.step < step).sort((a, b) => a.step - b.step);
  let count = 0;
  let from = 0;
  const upTo = (t: number, every: number) => (t < 1 ? 0 : Math.floor((t - 1) / every) + 1);
  let every = changes[0]?.from ?? period;
  for (const change of changes) {
    count += upTo(change.step, every) - upTo(from, every);
    from = change.step;
    every = change.to;
  }
  return count + upTo(step, every) - upTo(from, every);
}

/** ε after the next refresh, if the weights stayed as they are; and, on the linear schedule, the factor c. */
export function nextEpsilon(
  f: Pick<Q3rFigures, 'epsilon' | 'next' | 'waiting'>,
  schedule: EpsilonSchedule,
  N: number,
  refreshes: number,
): { readonly epsilon: number; readonly factor: number } {
  switch (schedule) {
    case 'default':
      return { epsilon: Math.min(f.epsilon, f.next), factor: NaN };
    case 'exploration':
      return { epsilon: f.next, factor: NaN };
    case 'constant':
      return { epsilon: N, factor: NaN };
    case 'linear': {
      if (f.waiting) return { epsilon: Math.max(LEAST_EPSILON, f.next), factor: NaN };
      // ε_k = ε₀^(1 − k/N) · (1e−5)^(k/N), solved for ε₀; refresh number 0 sets it.
      const k = refreshes - 1;
      const part = k / N;
      if (f.epsilon <= LEAST_EPSILON || part >= 1) return { epsilon: LEAST_EPSILON, factor: NaN };
      const first = Math.exp((Math.log(f.epsilon) - part * Math.log(LEAST_EPSILON)) / (1 - part));
      const factor = Math.exp(Math.log(LEAST_EPSILON / first) / N);
      return { epsilon: Math.max(LEAST_EPSILON, factor * f.epsilon), factor };
    }
  }
}

/** What the Hoyer measures make of a spectrum: ‖σ‖₁, ‖σ‖₂, the value, and the σ above which a value grows. */
export function hoyerFigures(sigma: Float32Array, square: boolean): { one: number; two: number; value: number; threshold: number } {
  let one = 0;
  let energy = 0;
  for (const s of sigma) {
    one += s;
    energy += s * s;
  }
  const two = Math.sqrt(energy);
  if (!(two > 0)) return { one: 0, two: 0, value: 0, threshold: 0 };
  const ratio = one / two;
  return { one, two, value: (square ? ratio * ratio : ratio) - 1, threshold: energy / one };
}

/** Derivative of the Hoyer value with respect to one σ of the spectrum. */
export function hoyerSlope(sigma: number, { one, two }: { one: number; two: number }, square: boolean): number {
  if (!(two > 0)) return 0;
  const slope = 1 / two - (one * sigma) / two ** 3;
  return square ? 2 * (one / two) * slope : slope;
}

/** Σ σ^(2/N): what weight decay of N factors adds up to in their product, at best. */
export function schatten(sigma: Float32Array, depth: number): number {
  let sum = 0;
  for (const s of sigma) sum += s ** (2 / depth);
  return sum;
}
