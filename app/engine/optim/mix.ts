import { rngU32, rngUniform, rngNormal, STREAM } from '../../../kernels/rng';
import { NO_MIX, type Mix } from '../../../kernels/stepState';

/** α of Beta(α, α) for each; 0 is off. */
export interface MixRecipe {
  readonly mixup: number;
  readonly cutmix: number;
}

/**
 * How step t mixes: mixup or cutmix, with probability one half each where both are on, and the share of a sample's own label,
 * drawn from Beta(α, α). Cutmix cuts a box of the share 1 − λ of an image of `size` pixels, at a centre anywhere, and what lies
 * outside the image gives its label share back. A function of (seed, t) alone.
 * Source: Zhang et al., arXiv 1710.09412; Yun et al., arXiv 1905.04899; timm's mode 'batch'
 */
export function drawMix({ mixup, cutmix }: MixRecipe, seed: number, t: number, size: number): Mix {
  if (mixup <= 0 && cutmix <= 0) return NO_MIX;
  const key = rngU32(seed, STREAM.mix, t);
  const draw = (counter: number): number => rngUniform(rngU32(key, 0, counter));
  const cut = cutmix > 0 && (mixup <= 0 || draw(0) < 0.5);
  const share = beta(cut ? cutmix : mixup, key);
  if (!cut) return { kind: 'mixup', weight: share, box: NO_MIX.box };
  const side = Math.trunc(size * Math.sqrt(1 - share));
  const range = (counter: number): [number, number] => {
    const centre = Math.trunc(draw(counter) * size);
    const half = Math.trunc(side / 2);
    return [Math.max(0, centre - half), Math.min(size, centre + half)];
  };
  const [left, right] = range(1);
  const [top, bottom] = range(2);
  return { kind: 'cutmix', weight: 1 - ((right - left) * (bottom - top)) / size ** 2, box: [left, top, right, bottom] };
}

/** A number from Beta(α, α): one of two Gamma(α) over their sum, by their logarithms, since those of a small α underflow. */
function beta(alpha: number, key: number): number {
  return 1 / (1 + Math.exp(logGamma(alpha, key, 2) - logGamma(alpha, key, 1)));
}

/**
 * Logarithm of a number from Gamma(α, 1): the squeeze of Marsaglia and Tsang, ACM TOMS 26(3), 2000, on α + 1, times U^(1/α), which
 * brings it to α. Rejection takes more than sixteen tries once in 10²⁰ times; the last try is taken then.
 */
function logGamma(alpha: number, key: number, stream: number): number {
  const d = alpha + 1 - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  const uniform = (counter: number): number => ((rngU32(key, stream, counter) >>> 8) + 1) * 2 ** -24;
  const boost = Math.log(uniform(0)) / alpha;
  let v = 1;
  for (let i = 0; i < 16; i++) {
    const [x] = rngNormal(key, 8 + stream, i);
    v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(uniform(1 + i)) < 0.5 * x * x + d * (1 - v + Math.log(v))) break;
    v = 1;
  }
  return Math.log(d * v) + boost;
}
