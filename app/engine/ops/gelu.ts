import { geluBackward, geluGrid } from '../../../kernels/gelu/gelu';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';

export interface GeluBackwardArgs {
  /** Elements; a multiple of 4 with `halves`. */
  readonly count: number;
  /** f32 [count], GELU's input; becomes its output. */
  readonly pre: View;
  /** f32 [count], the gradient of the output; becomes that of the input. */
  readonly grad: View;
  /** Both are stored in half precision. */
  readonly halves?: boolean | undefined;
  readonly label?: string;
}

/**
 * grad ← grad ∘ gelu′(pre), then pre ← gelu(pre), in place: what the weight gradient behind it reads, so that GELU's output need not be
 * kept. The forward pass is an epilogue of the matrix product.
 */
export function recordGeluBackward(recorder: Recorder, { count, pre, grad, halves = false, label = 'gelu' }: GeluBackwardArgs): void {
  recorder.dispatch(geluBackward(halves), {
    params: { count },
    buffers: [pre, grad],
    grid: geluGrid(count),
    work: 22 * count,
    label: `${label}.backward`,
  });
}
