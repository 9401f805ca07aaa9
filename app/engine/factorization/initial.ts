import { rngNormal, rngU32, rngUniform } from '../../../kernels/rng';
import type { FactorLayout } from './layout';

/** Streams of the factors start here, away from those of data and augmentation. */
const FIRST_STREAM = 0x1000;
/** Standard deviation of timm's linear weights, which the composed ones start with. */
const STD = 0.02;

/**
 * The trained arena at step 0, a function of the seed alone. `effective` is the dense model's initial arena.
 * LoRITa: the last factor is the dense initial weight, the square ones are random rotations: the product has the spectrum and
 * the standard deviation of the dense start, at any depth. (Independent normal factors would keep the scale too, but not the
 * spectrum: their product starts the lower in rank the deeper it is.)
 * LoRA: A and B normal with variance 0.02 √r / α, so that the product starts with timm's standard deviation of 0.02.
 * (Both at 0.01, as in the reference, starts the product a hundred times smaller, and hardly any signal passes.)
 */
export function initialFactors(layout: FactorLayout, effective: Float32Array, seed: number): Float32Array<ArrayBuffer> {
  const arena = copyShared(layout, effective);
  let stream = FIRST_STREAM;
  for (const { offset, rows, cols, scale, factors } of layout.matrices) {
    factors.forEach((factor, j) => {
      const part = arena.subarray(factor.offset, factor.offset + factor.rows * factor.cols);
      if (layout.kind.kind === 'lora') {
        // (α/r) · √r · variance = 0.02, with A [in, r]; scale is α/r.
        const rank = factors[0]!.cols;
        const std = Math.sqrt(STD / (scale * Math.sqrt(rank)));
        for (let i = 0; i < part.length; i += 2) {
          const [x, y] = rngNormal(seed, stream, i / 2);
          part[i] = std * x;
          if (i + 1 < part.length) part[i + 1] = std * y;
        }
      } else if (j === factors.length - 1) part.set(effective.subarray(offset, offset + rows * cols));
      else part.set(randomRotation(factor.rows, seed, stream));
      stream++;
    });
  }
  return arena;
}

/** A trained arena with everything that is no factor taken from an effective one, and zero factors. */
export function copyShared(layout: FactorLayout, effective: Float32Array): Float32Array<ArrayBuffer> {
  const arena = new Float32Array(layout.trained.total);
  for (const { trained, effective: at, length } of layout.shared) arena.set(effective.subarray(at, at + length), trained);
  return arena;
}

/**
 * A random orthogonal n × n matrix: the identity after 2 ⌈log₂ n⌉ rounds in which randomly paired rows are turned by random
 * angles. n² log n operations; two rounds of pairings reach every row from every other.
 */
export function randomRotation(n: number, seed: number, stream: number): Float64Array {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  let counter = 0;
  const uniform = (): number => rngUniform(rngU32(seed, stream, counter++));
  const order = Array.from({ length: n }, (_, i) => i);
  const rounds = 2 * Math.ceil(Math.log2(Math.max(2, n)));
  for (let round = 0; round < rounds; round++) {
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(uniform() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    for (let pair = 0; pair + 1 < n; pair += 2) {
      const angle = 2 * Math.PI * uniform();
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const [x, y] = [order[pair]! * n, order[pair + 1]! * n];
      for (let i = 0; i < n; i++) {
        const [a, b] = [q[x + i]!, q[y + i]!];
        q[x + i] = c * a - s * b;
        q[y + i] = s * a + c * b;
      }
    }
  }
  return q;
}
