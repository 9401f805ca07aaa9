import { packStepState } from '../../kernels/stepState';
import type { Gpu } from '../../app/engine/gpu/device';
import { Recorder } from '../../app/engine/gpu/recorder';
import { Q3rRegularizer, type Q3rMatrix } from '../../app/engine/regularizers/q3r/regularizer';
import { uniform } from '../support/gpu';

export interface SvdTiming {
  readonly name: string;
  readonly matrices: number;
  /** Median of the measured repetitions. */
  readonly ms: number;
  readonly note: string;
}

/** The regularized matrices of `blocks` ViT-Tiny blocks: q, k, v, proj (192 × 192), fc1 (768 × 192) and fc2 (192 × 768). */
export function vitTinyMatrices(blocks: number, targetRank = 38): Q3rMatrix[] {
  const out: Q3rMatrix[] = [];
  let offset = 0;
  for (let b = 0; b < blocks; b++)
    for (const [rows, cols] of [...Array<[number, number]>(4).fill([192, 192]), [768, 192], [192, 768]] as [number, number][]) {
      out.push({ name: `${b}.${out.length}`, offset, rows, cols, targetRank });
      offset += rows * cols;
    }
  return out;
}

/**
 * Times a cold exact refresh, warm randomized and exact refreshes, and one application of the operator over the 72 matrices of
 * ViT-Tiny whose weights move as between refreshes of a run. A software adapter gets two blocks (12 matrices) unless told.
 */
export async function benchSvd(gpu: Gpu, blocks = gpu.info.software ? 2 : 12, repetitions = 3): Promise<SvdTiming[]> {
  const matrices = vitTinyMatrices(blocks);
  const elements = matrices.reduce((sum, m) => sum + m.rows * m.cols, 0);
  const weights = uniform(elements, 1, -0.035, 0.035);
  const params = gpu.upload('bench.params', weights);
  const out = gpu.buffers.allocate('bench.out', elements * 4);
  const value = gpu.buffers.allocate('bench.value', 16);
  const stepState = packStepState({
    step: 1,
    lr: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    adamEps: 1e-8,
    weightDecay: 0,
    lambda: 1,
    gradClip: 0,
    seed: 0,
    epoch: 0,
    position: 0,
    trainCount: 1,
    augment: 'none',
  });
  const state = gpu.upload('bench.state', new Uint8Array(stepState));
  const timings: SvdTiming[] = [];
  const timed = async (work: () => void) => {
    await gpu.idle();
    const from = performance.now();
    work();
    await gpu.idle();
    return performance.now() - from;
  };
  const report = (name: string, times: number[], note: string) => {
    const ms = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
    timings.push({ name, matrices: matrices.length, ms, note });
  };
  for (const svd of ['randomized', 'exact'] as const) {
    const regularizer = new Q3rRegularizer(gpu, {
      matrices,
      params,
      svd,
      oversample: 8,
      powerIterations: 1,
      epsilonSchedule: 'default',
      epsilonN: 100,
      seed: 1,
    });
    await regularizer.build();
    const parts = Math.max(1, Math.ceil(blocks * (gpu.info.software ? 16 : 1)));
    const cold = await timed(() => regularizer.nextRefresh(undefined).run(parts));
    if (svd === 'exact') report('SVD, first, exact', [cold], `${regularizer.bytes} bytes`);
    let status = await regularizer.readStatus();
    const times: number[] = [];
    let note = '';
    for (let i = 0; i < repetitions + 2; i++) {
      const moved = uniform(elements, 2 + i, -1e-3, 1e-3);
      weights.forEach((w, j) => (weights[j] = w + moved[j]!));
      gpu.write(params, weights);
      const program = regularizer.nextRefresh(status);
      const ms = await timed(() => program.run(parts));
      status = await regularizer.readStatus();
      const { kind, powers, sketches } = regularizer.lastDecision!;
      // The first two randomized refreshes are guarded.
      if (i >= 2) times.push(ms);
      note = `${kind}, ${Math.max(...sketches)} columns, ${powers} iterations, ${Math.max(...status.map((s) => s.sweeps))} sweeps`;
    }
    report(`SVD, warm, ${svd}`, times, note);
    if (svd === 'randomized') {
      const recorder = new Recorder(gpu, 'bench.apply');
      regularizer.recordApply(recorder, { state, out, mode: 'write', value });
      const apply = await recorder.build();
      const applied: number[] = [];
      for (let i = 0; i < repetitions; i++) applied.push(await timed(() => apply.run()));
      report('Q3R gradient and value', applied, `envelope ${Math.max(...status.map((s) => s.envelope))}`);
      apply.dispose();
    }
    regularizer.dispose();
  }
  for (const view of [params, out, value, state]) gpu.buffers.free(view);
  return timings;
}
