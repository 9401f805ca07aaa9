import { STEP_STATE_BYTES } from '../../../../kernels/stepState';
import type { Gpu } from '../../gpu/device';
import { Recorder, type Program } from '../../gpu/recorder';
import { checkMatrix, type Matrix } from '../../linalg/svd';
import { HoyerRegularizer } from './regularizer';

export interface HoyerResult {
  readonly value: number;
  /** rows × cols. */
  readonly gradient: Float32Array;
  /** All singular values, descending. */
  readonly sigma: Float32Array;
}

/** The Hoyer measure (λ = 1) of one matrix and its gradient, by the trainer's kernels. @throws Error for entries that are not finite */
export async function hoyerOf(gpu: Gpu, w: Matrix, square: boolean): Promise<HoyerResult> {
  checkMatrix(w, 'w');
  const { rows, cols, data } = w;
  const arena = gpu.upload('hoyer.w', data);
  const out = gpu.buffers.allocate('hoyer.gradient', arena.size);
  const value = gpu.buffers.allocate('hoyer.value', 16);
  const state = gpu.buffers.allocate('hoyer.state', STEP_STATE_BYTES);
  const hoyer = new HoyerRegularizer(gpu, {
    matrices: [{ name: 'w', offset: 0, rows, cols, targetRank: 0 }],
    params: arena,
    square,
    seed: 0,
  });
  let applied: Program | undefined;
  try {
    const step = new Float32Array(STEP_STATE_BYTES / 4);
    step[8] = 1;
    gpu.write(state, step);
    await hoyer.build();
    const recorder = new Recorder(gpu, 'hoyer.apply').setPhase('q3r');
    hoyer.recordApply(recorder, { state, out, mode: 'add', value });
    applied = await recorder.build();
    hoyer.nextRefresh(undefined).run(Math.max(1, Math.ceil(hoyer.svd.layout.maxK / 32)));
    applied.run();
    const [gradient, values, sigma] = await Promise.all([gpu.readFloats(out), gpu.readFloats(value), gpu.readFloats(hoyer.svd.sigma)]);
    return { value: values[0] ?? 0, gradient: gradient.slice(0, rows * cols), sigma: sigma.slice(0, hoyer.svd.layout.maxK) };
  } finally {
    applied?.dispose();
    hoyer.dispose();
    for (const view of [arena, out, value, state]) gpu.buffers.free(view);
  }
}
