import { PEAK_WORKGROUP, copyKernel, fmaFlops, fmaKernel, readKernel, streamElements } from '../../../kernels/peak/peak';
import type { KernelSpec } from '../../../kernels/spec';
import type { Gpu } from '../gpu/device';
import { Recorder, type DispatchOptions } from '../gpu/recorder';
import { awake, secondsFor } from '../ops/timing';

/** The most that this device was seen to do. */
export interface Peaks {
  /** f32 multiply-adds from registers, 10⁹ operations per second. */
  readonly gflops: number;
  /** Streams of reads, with and without as many writes, 10⁹ bytes per second. */
  readonly gbps: number;
}

/** Accumulators worth trying, workgroups, turns of a loop, and bytes of a stream: past all caches, and well within the memory. */
const SIZES = {
  software: { tiles: [2, 4], groups: 64, turns: 192, streams: [16, 64], bytes: 16 * 2 ** 20 },
  hardware: { tiles: [2, 4, 8], groups: 16384, turns: 16, streams: [1024, 8192], bytes: 128 * 2 ** 20 },
};

/**
 * Measures peak arithmetic and bandwidth: the best of a few kernels each, about a second in all. `step` is called before each of
 * `peakSteps` measurements and may throw to end it. Frees all that it allocates. @throws OutOfMemoryError, ShaderError
 */
export async function measurePeaks(gpu: Gpu, step: () => void = () => undefined): Promise<Peaks> {
  const { tiles, groups, turns, streams, bytes } = SIZES[gpu.info.software ? 'software' : 'hardware'];
  const size = Math.min(bytes, gpu.info.maxStorageBufferBindingSize, gpu.info.maxBufferSize);
  const invocations = Math.max(groups, ...streams) * PEAK_WORKGROUP;
  const views = await gpu.guard('the measurement of the memory', () => ({
    input: gpu.buffers.allocate('peak.input', size),
    out: gpu.buffers.allocate('peak.out', size),
    sums: gpu.buffers.allocate('peak.sums', invocations * 4),
  }));
  const seconds = async (spec: KernelSpec, options: DispatchOptions): Promise<number> => {
    step();
    const program = await awake(gpu, new Recorder(gpu, 'peak').dispatch(spec, options).build());
    try {
      return await secondsFor(gpu, program);
    } finally {
      program.dispose();
    }
  };
  try {
    let gflops = 0;
    for (const tile of tiles) {
      const params = { turns, x: 0.999, y: 0.001 };
      const s = await seconds(fmaKernel(tile), { params, buffers: [views.sums], grid: [groups, 1, 1] });
      gflops = Math.max(gflops, fmaFlops(tile, turns, groups * PEAK_WORKGROUP) / s / 1e9);
    }
    let gbps = 0;
    for (const lines of streams) {
      const n4 = streamElements(size / 16, lines);
      const grid = [lines, 1, 1] as const;
      const copy = await seconds(copyKernel, { params: { n4 }, buffers: [views.input, views.out], grid });
      const read = await seconds(readKernel, { params: { n4 }, buffers: [views.input, views.sums], grid });
      gbps = Math.max(gbps, (32 * n4) / copy / 1e9, (16 * n4) / read / 1e9);
    }
    return { gflops, gbps };
  } finally {
    for (const view of Object.values(views)) gpu.buffers.free(view);
  }
}

/** Measurements of `measurePeaks` on this kind of device. */
export function peakSteps(gpu: Gpu): number {
  const { tiles, streams } = SIZES[gpu.info.software ? 'software' : 'hardware'];
  return tiles.length + 2 * streams.length;
}
