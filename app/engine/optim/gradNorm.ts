import { gradNormFinalize, gradNormFinalizeScaled, gradNormPartial, partialThreads } from '../../../kernels/gradNorm/gradNorm';
import { metricsRecord, metricsRecordScaled } from '../../../kernels/metrics/metrics';
import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';
import { windowOf, windows } from './arena';

/** Bytes of scratch that `recordGradNorm` needs for an arena of `elements` gradients. */
export function gradNormScratchBytes(gpu: Gpu, elements: number, maxBinding?: number): number {
  return windows(gpu, elements, maxBinding).reduce((sum, w) => sum + partialThreads(w.elements) * 4, 0);
}

/** `guard` and `scratch` lie in buffers of their own: a kernel may not read and write one GPU buffer. */
export interface GradNormViews {
  /** f32 arena, a multiple of 4 elements, padding zero. Its size counts, so pass exactly the arena. */
  readonly grads: View;
  /** f32 [batch]. */
  readonly losses: View;
  /** u32 [batch], 1 where the sample is classified correctly. */
  readonly correct: View;
  readonly batch: number;
  /** StepState. */
  readonly state: View;
  /** Guard, `GUARD_BYTES`, zero before the first step; the CPU clears a halt by writing zeros. */
  readonly guard: View;
  /** At least `gradNormScratchBytes`. */
  readonly scratch: View;
  /** LossScale that `grads` had and is free of again; it may skip the step. */
  readonly scaling?: View | undefined;
  readonly maxBinding?: number;
}

/** Global gradient norm, clip scale, mean loss and the decision to halt, into `guard`: two dispatches. */
export function recordGradNorm(rec: Recorder, views: GradNormViews): void {
  const { grads, losses, correct, batch, state, guard, scratch, scaling, maxBinding } = views;
  let used = 0;
  for (const w of windows(rec.gpu, grads.size / 4, maxBinding)) {
    const threads = partialThreads(w.elements);
    rec.dispatch(gradNormPartial, {
      params: { n4: w.elements / 4, threads },
      buffers: [windowOf(grads, w), slice(scratch, used, threads)],
      grid: [threads / 64, 1, 1],
      work: 2 * w.elements,
    });
    used += threads;
  }
  rec.dispatch(scaling ? gradNormFinalizeScaled : gradNormFinalize, {
    params: { count: used, batch },
    buffers: [state, slice(scratch, 0, used), losses, correct, guard, ...(scaling ? [scaling] : [])],
    grid: [1, 1, 1],
  });
}

/** `metrics` lies in a buffer of its own, as above. */
export interface MetricsViews {
  readonly state: View;
  readonly guard: View;
  readonly batch: number;
  /** One f32, the regularizer's value of this step; 0 is recorded without it. */
  readonly regularizer?: View | undefined;
  /** `METRICS_BYTES`. */
  readonly metrics: View;
  readonly scaling?: View | undefined;
}

/** Writes the step's record; after `recordGradNorm` and the regularizer's value. */
export function recordMetrics(rec: Recorder, { state, guard, batch, regularizer, metrics, scaling }: MetricsViews): void {
  rec.dispatch(scaling ? metricsRecordScaled : metricsRecord, {
    params: { batch, has_regularizer: regularizer ? 1 : 0 },
    buffers: [state, guard, regularizer ?? guard, metrics, ...(scaling ? [scaling] : [])],
    grid: [1, 1, 1],
  });
}
