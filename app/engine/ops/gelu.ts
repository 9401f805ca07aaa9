import { geluBackward, geluGrid } from '../../../kernels/gelu/gelu';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';

/** grad ← grad ∘ gelu′(pre), `count` elements, in place. The forward pass is an epilogue of the matrix product. */
export function recordGeluBackward(recorder: Recorder, count: number, pre: View, grad: View, label = 'gelu'): void {
  recorder.dispatch(geluBackward, {
    params: { count },
    buffers: [pre, grad],
    grid: geluGrid(count),
    work: 20 * count,
    label: `${label}.backward`,
  });
}
