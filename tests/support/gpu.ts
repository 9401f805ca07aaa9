import { afterAll, beforeAll } from 'vitest';
import { Gpu } from '../../app/engine/gpu/device';
import type { View } from '../../app/engine/gpu/buffers';

/** Of all test files in this page, with what they have compiled. */
let shared: Promise<Gpu> | undefined;

/** A device for a test file; a missing adapter fails it. The getter is valid inside tests; what they leave allocated is freed behind the last. */
export function useGpu(): () => Gpu {
  let gpu: Gpu | undefined;
  beforeAll(async () => {
    gpu = await (shared ??= Gpu.open());
    gpu.onError = (message) => {
      throw new Error(`uncaptured GPU error: ${message}`);
    };
  });
  afterAll(() => {
    gpu?.buffers.freeAll();
  });
  return () => {
    if (!gpu) throw new Error('the device is open only inside tests');
    return gpu;
  };
}

/** Reads a view back as float32. */
export const floats = (gpu: Gpu, view: View) => gpu.readFloats(view);

/** Largest |got − want|; NaN counts as infinite. */
export function maxError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) throw new Error(`length ${got.length}, expected ${want.length}`);
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    const d = Math.abs(got[i]! - want[i]!);
    if (!(d <= worst)) worst = Number.isNaN(d) ? Infinity : d;
  }
  return worst;
}

/** ‖got − want‖_F / ‖want‖_F. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < want.length; i++) {
    error += (got[i]! - want[i]!) ** 2;
    norm += want[i]! ** 2;
  }
  return Math.sqrt(error) / Math.max(Math.sqrt(norm), 1e-300);
}

/** Seeded uniform numbers in [lo, hi): mulberry32. */
export function uniform(count: number, seed: number, lo = -1, hi = 1): Float32Array<ArrayBuffer> {
  let a = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return lo + ((hi - lo) * ((t ^ (t >>> 14)) >>> 0)) / 4294967296;
  });
}
