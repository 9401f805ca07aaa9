import { STEP_STATE_BYTES } from '../../../kernels/stepState';
import type { Gpu } from '../gpu/device';
import { Program, Recorder } from '../gpu/recorder';
import { Q3rBatch } from './q3rBatch';
import { checkMatrix, type Matrix } from './svd';
import { SvdBatch } from './svdBatch';

export interface Q3rOptions {
  readonly targetRank: number;
  readonly lambda: number;
  /** Smoothing parameter before the refresh; 1e8 at the start of a run. */
  readonly epsilon: number;
  readonly epsilonSchedule?: 'default' | 'constant' | 'exploration';
  readonly epsilonN?: number;
  /** Matrix the operator is applied to; the anchor itself when absent. */
  readonly x?: Matrix;
}
export interface Q3rResult {
  /** λ⟨X, R(X)⟩. */
  readonly value: number;
  /** 2λR(X), rows × cols. */
  readonly gradient: Float32Array;
  /** After the refresh. */
  readonly epsilon: number;
  /** Number of σ > ε. */
  readonly envelopeRank: number;
  /** All singular values of the anchor, descending. */
  readonly sigma: Float32Array;
}

/**
 * One exact refresh of the Q3R operator at w and its value and gradient at x (w when absent), by the trainer's kernels.
 * A target rank of min(rows, cols) or more gives the identity: gradient 2λx.
 * @throws Error when sizes disagree, an entry is not finite, or an option is out of range.
 */
export async function q3r(gpu: Gpu, w: Matrix, o: Q3rOptions): Promise<Q3rResult> {
  checkMatrix(w, 'w');
  const { rows, cols } = w;
  if (o.x) {
    checkMatrix(o.x, 'x');
    if (o.x.rows !== rows || o.x.cols !== cols) throw new Error(`x is ${o.x.rows} × ${o.x.cols}, w is ${rows} × ${cols}`);
  }
  if (!(Number.isInteger(o.targetRank) && o.targetRank >= 0))
    throw new Error(`targetRank is ${o.targetRank}, not a whole number from 0 on`);
  if (!Number.isFinite(o.lambda)) throw new Error(`lambda is ${o.lambda}`);
  if (!(o.epsilon >= 0)) throw new Error(`epsilon is ${o.epsilon}, not a number from 0 on`);
  const schedule = o.epsilonSchedule ?? 'default';
  if (schedule === 'constant' && !(o.epsilonN !== undefined && o.epsilonN >= 0)) throw new Error('the constant schedule needs epsilonN');
  const arena = gpu.upload('q3r.w', w.data);
  const x = o.x ? gpu.upload('q3r.x', o.x.data) : arena;
  const out = gpu.buffers.allocate('q3r.gradient', arena.size);
  const value = gpu.buffers.allocate('q3r.value', 16);
  const state = gpu.buffers.allocate('q3r.state', STEP_STATE_BYTES);
  const svd = new SvdBatch(gpu, { label: 'q3r.svd', matrices: [{ name: 'w', offset: 0, rows, cols }], arena });
  const operator = new Q3rBatch(gpu, svd, { epsilonSchedule: schedule, epsilonN: o.epsilonN ?? 0 });
  let applied: Program | undefined;
  try {
    const step = new Float32Array(STEP_STATE_BYTES / 4);
    step[8] = o.lambda;
    gpu.write(state, step);
    svd.configure([Math.min(o.targetRank, 2 ** 31)], [svd.layout.maxK]);
    svd.reset(o.epsilon);
    await Promise.all([svd.build(), operator.build()]);
    const recorder = new Recorder(gpu, 'q3r.apply').setPhase('q3r');
    operator.recordApply(recorder, { x, state, out, mode: 'write' });
    Q3rBatch.recordTotal(recorder, operator.values, value);
    applied = await recorder.build();
    svd.coldExact().run(Math.max(1, Math.ceil(svd.layout.maxK / 32)));
    Program.sequence(gpu, 'q3r.update', [operator.update('exact')]).run();
    applied.run();
    const [status, gradient, values, sigma] = await Promise.all([
      svd.readStatus(),
      gpu.readFloats(out),
      gpu.readFloats(value),
      gpu.readFloats(svd.sigma),
    ]);
    const [s] = status;
    if (!s) throw new Error('no status came back');
    return {
      value: values[0] ?? 0,
      gradient: gradient.slice(0, rows * cols),
      // An ε that was given, not found, comes back as it was given and not rounded to f32.
      epsilon: [o.epsilon, o.epsilonN].find((e) => e !== undefined && Math.fround(e) === s.epsilon) ?? s.epsilon,
      envelopeRank: s.envelope,
      sigma: sigma.slice(0, svd.layout.maxK),
    };
  } finally {
    applied?.dispose();
    operator.dispose();
    svd.dispose();
    for (const view of [arena, x, out, value, state]) gpu.buffers.free(view);
  }
}
