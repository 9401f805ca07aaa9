import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';

/** A part of an arena that one binding can hold. */
export interface Window {
  /** First element. */
  readonly first: number;
  readonly elements: number;
}

/**
 * Cuts an arena of float32 into windows that fit one storage binding and start at its alignment.
 * @throws RangeError when the arena is not made of whole vec4: kernels read four elements at a time.
 */
export function windows(gpu: Gpu, elements: number, maxBytes: number = gpu.info.maxStorageBufferBindingSize): Window[] {
  if (elements < 4 || elements % 4 !== 0) throw new RangeError(`an arena of ${elements} elements is not a multiple of 4`);
  const most = Math.floor(maxBytes / 256) * 64;
  const out: Window[] = [];
  for (let first = 0; first < elements; first += most) out.push({ first, elements: Math.min(most, elements - first) });
  return out;
}

export const windowOf = (arena: View, w: Window): View => slice(arena, w.first, w.elements);
