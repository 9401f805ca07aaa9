import { emaUpdate } from '../../../kernels/ema/ema';
import { ceilDiv, foldGrid } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';
import { windowOf, windows } from './arena';

/** `average` lies in a buffer of its own. */
export interface EmaViews {
  /** f32 arena of the weights; its size counts, so pass exactly the arena. */
  readonly weights: View;
  /** f32, as large; begins as a copy of the weights. */
  readonly average: View;
  /** StepState. */
  readonly state: View;
  readonly guard: View;
  readonly maxBinding?: number;
}

/** The running average follows the weights as they are at this point of the program, with the decay that the StepState has. */
export function recordEma(rec: Recorder, { weights, average, state, guard, maxBinding }: EmaViews): void {
  for (const w of windows(rec.gpu, weights.size / 4, maxBinding)) {
    const n4 = w.elements / 4;
    rec.dispatch(emaUpdate, {
      params: { n4 },
      buffers: [state, guard, windowOf(weights, w), windowOf(average, w)],
      grid: foldGrid(ceilDiv(n4, 64)),
      work: 3 * w.elements,
    });
  }
}
