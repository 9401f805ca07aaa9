import { geluBackward, geluGrid } from '../../../kernels/gelu/gelu';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';

/**
 * grad ← grad ∘ gelu′(pre), then pre ← gelu(pre), `count` elements each, in place: what the weight gradient behind it reads, so that
 * GELU's output need not be kept. The forward pass is an epilogue of the matrix product.
 */
export function recordGeluBackward(recorder: Recorder, count: number, pre: View, grad: View, label = 'gelu'): void {
  recorder.dispatch(geluBackward, {
    params: { count },
    buffers: [pre, grad],
    grid: geluGrid(count),
    work: 22 * count,
    label: `${label}.backward`,
  });
}
