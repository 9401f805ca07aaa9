import type { Gpu } from '../../app/engine/gpu/device';
import { Recorder } from '../../app/engine/gpu/recorder';
import { describeMatmul, matmulScratchBytes, recordMatmul, type MatmulShape, type MatmulTuning } from '../../app/engine/ops/matmul';
import { awake, secondsFor } from '../../app/engine/ops/timing';
import { tuneMatmul } from '../../app/engine/ops/tune';
import { tuneShapes } from '../../app/engine/ops/tuneShapes';

export interface GemmResult {
  readonly shape: MatmulShape;
  /** Tiling the tuner chose, and the parts k is split into. */
  readonly variant: string;
  readonly splits: number;
  readonly gflops: number;
}

/** As for a run: by kind and, on a graphics card, by exact shape. */
async function tuned(gpu: Gpu, rows: readonly MatmulShape[]): Promise<MatmulTuning> {
  const general = await tuneMatmul(gpu);
  return gpu.info.software ? general : { ...general, shapes: await tuneShapes(gpu, rows, { budgetMs: 5000 }) };
}

/** GFLOP/s of each product with the variant tuned for this device, without epilogue. */
export async function benchGemm(gpu: Gpu, rows: readonly MatmulShape[], tuning?: MatmulTuning): Promise<GemmResult[]> {
  const chosen = tuning ?? (await tuned(gpu, rows));
  const results: GemmResult[] = [];
  for (const shape of rows) {
    const { m, n, k, batch = 1 } = shape;
    const bytes = matmulScratchBytes(chosen, shape);
    const [a, b, out] = [m * k, k * n, m * n].map((size) => gpu.buffers.allocate('bench', size * batch * 4));
    const scratch = bytes > 0 ? gpu.buffers.allocate('bench.scratch', bytes) : undefined;
    const recorder = new Recorder(gpu, 'bench');
    recordMatmul(recorder, chosen, { ...shape, a: a!, b: b!, out: out!, scratch });
    const program = await awake(gpu, recorder.build());
    const seconds = await secondsFor(gpu, program, 5);
    results.push({ shape, ...describeMatmul(chosen, shape), gflops: (2 * m * n * k * batch) / seconds / 1e9 });
    program.dispose();
    for (const view of [a, b, out, scratch]) if (view) gpu.buffers.free(view);
  }
  return results;
}
