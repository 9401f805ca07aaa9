export interface LrSchedule {
  /** Peak learning rate. */
  readonly lr: number;
  readonly lrSchedule: 'cosine' | 'constant';
  readonly warmupSteps: number;
  /** Length of the run; the cosine reaches zero there. */
  readonly steps: number;
}

/**
 * Learning rate of step t, counted from 1: lr·t/warmupSteps up to the end of the warm-up, then level or half a cosine from
 * lr down to 0 at the last step, and 0 after it. A warm-up as long as the run is never left.
 */
export function learningRate({ lr, lrSchedule, warmupSteps, steps }: LrSchedule, t: number): number {
  if (t < warmupSteps) return (lr * t) / warmupSteps;
  if (lrSchedule === 'constant' || t === warmupSteps) return lr;
  if (t >= steps) return 0;
  return 0.5 * lr * (1 + Math.cos((Math.PI * (t - warmupSteps)) / (steps - warmupSteps)));
}
