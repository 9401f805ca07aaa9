import source from './lib/rng.wgsl?raw';

/** WGSL of `rng_u32`, `rng_uniform` and `rng_normal`; kernels that draw numbers prepend it. */
export const rngWgsl: string = source;

/** Streams keep uses of one seed apart. */
export const STREAM = { shuffle: 1, augment: 2, mix: 3 } as const;

/**
 * Hash of three words to 32 bits: pcg3d with three rounds, Jarzynski and Olano, "Hash Functions for GPU Rendering",
 * JCGT 9(3), 2020. Bit for bit the WGSL `rng_u32`.
 */
export function rngU32(seed: number, stream: number, counter: number): number {
  let x = (Math.imul(seed, 1664525) + 1013904223) | 0;
  let y = (Math.imul(stream, 1664525) + 1013904223) | 0;
  let z = (Math.imul(counter, 1664525) + 1013904223) | 0;
  for (let round = 0; ; round++) {
    x = (x + Math.imul(y, z)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
    if (round === 2) return z >>> 0;
    x ^= x >>> 16;
    y ^= y >>> 16;
    z ^= z >>> 16;
  }
}

/** [0, 1) in steps of 2⁻²⁴, as the WGSL `rng_uniform`. */
export const rngUniform = (bits: number): number => (bits >>> 8) * 2 ** -24;

/** Two independent standard normals (Box–Muller), those of the WGSL `rng_normal` up to the rounding of log, sqrt and cos. */
export function rngNormal(seed: number, stream: number, counter: number): [number, number] {
  const u = ((rngU32(seed, stream, (2 * counter) >>> 0) >>> 8) + 1) * 2 ** -24;
  const angle = 2 * Math.PI * rngUniform(rngU32(seed, stream, (2 * counter + 1) >>> 0));
  const radius = Math.sqrt(-2 * Math.log(u));
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}
