import { nonFiniteCount } from '../../../kernels/nonFinite/nonFinite';
import { foldGrid } from '../../../kernels/spec';
import { alignBytes, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder } from '../gpu/recorder';
import { windowOf, windows } from './arena';

/** A tensor's place in an arena, in elements. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/**
 * Counts the infinities and NaNs of each segment of an arena of float32. For use after a halt, never in the step loop: it
 * allocates, and waits for the GPU.
 */
export async function countNonFinite(gpu: Gpu, arena: View, segments: readonly Segment[], maxBinding?: number): Promise<number[]> {
  if (segments.length === 0) return [];
  const table = gpu.upload('nonFinite.segments', Uint32Array.from(segments.flatMap((s) => [s.offset, s.length])));
  const counts = gpu.buffers.allocate('nonFinite.counts', alignBytes(segments.length * 4, 16));
  try {
    const rec = new Recorder(gpu, 'nonFinite');
    for (const w of windows(gpu, arena.size / 4, maxBinding))
      rec.dispatch(nonFiniteCount, {
        params: { count: segments.length, first: w.first, window: w.elements },
        buffers: [windowOf(arena, w), table, counts],
        grid: foldGrid(segments.length),
      });
    const program = await rec.build();
    try {
      program.run();
      return [...new Uint32Array(await gpu.read(counts))].slice(0, segments.length);
    } finally {
      program.dispose();
    }
  } finally {
    gpu.buffers.free(table);
    gpu.buffers.free(counts);
  }
}
