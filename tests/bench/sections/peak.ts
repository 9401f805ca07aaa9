import { Gpu } from '../../../app/engine/gpu/device';
import { measurePeaks } from '../../../app/engine/profile/peaks';
import { round, type Row } from '../section';

export const title = 'What the device can do';
export const note = 'f32 multiply-adds from registers; streams of reads with and without as many writes. The best of three measurements.';

export async function run(): Promise<Row[]> {
  const gpu = await Gpu.open();
  try {
    const all = [await measurePeaks(gpu), await measurePeaks(gpu), await measurePeaks(gpu)];
    const gflops = Math.max(...all.map((p) => p.gflops));
    const gbps = Math.max(...all.map((p) => p.gbps));
    return [{ 'f32 GFLOP/s': round(gflops), 'GB/s': round(gbps), 'FLOP per byte': round(gflops / gbps) }];
  } finally {
    gpu.dispose();
  }
}
