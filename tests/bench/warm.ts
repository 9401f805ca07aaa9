import type { Gpu } from '../../app/engine/gpu/device';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordMatmul } from '../../app/engine/ops/matmul';

const SIDE = 1024;

/**
 * Keeps a graphics card at work, so that what is timed next finds it at the clock of a run: one that has waited for a compiler runs at a
 * fraction of that, and takes longer to come back than most measurements last. Nothing on a software adapter.
 */
export async function warmer(gpu: Gpu): Promise<{ run(ms: number): Promise<void>; dispose(): void }> {
  if (gpu.info.software) return { run: () => Promise.resolve(), dispose: () => undefined };
  const none = { small: {}, large: {} };
  const tuning = { version: 1, rates: { nn: none, nt: none, tn: none }, fill: 0, shapes: {} } as const;
  const views = ['a', 'b', 'out'].map((name) => gpu.buffers.allocate(`bench.warm.${name}`, 4 * SIDE * SIDE));
  const recorder = new Recorder(gpu, 'bench.warm');
  for (let i = 0; i < 8; i++) recordMatmul(recorder, tuning, { m: SIDE, n: SIDE, k: SIDE, a: views[0]!, b: views[1]!, out: views[2]! });
  const program = await recorder.build();
  return {
    run: async (ms) => {
      for (const from = performance.now(); performance.now() - from < ms; await gpu.idle()) program.run();
    },
    dispose: () => {
      program.dispose();
      for (const view of views) gpu.buffers.free(view);
    },
  };
}
