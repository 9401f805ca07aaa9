import { LOSS_SCALE_BYTES, lossScaleState, unscale } from '../../../kernels/lossScale/lossScale';
import { ceilDiv, foldGrid } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';
import { windowOf, windows } from './arena';
import { FIRST_LOSS_SCALE } from './config';

/** A LossScale as at the start of a run, or fixed at `scale` for a pass by itself. */
export function allocateLossScale(gpu: Gpu, scale = FIRST_LOSS_SCALE): View {
  const view = gpu.buffers.allocate('loss.scale', LOSS_SCALE_BYTES);
  gpu.write(view, lossScaleState(scale));
  return view;
}

/** The state begins anew, as its weights do. */
export const resetLossScale = (gpu: Gpu, view: View): void => gpu.write(view, lossScaleState(FIRST_LOSS_SCALE));

/** Takes the scale out of an arena of gradients, in place: right after the backward pass, before anything else reads them. */
export function recordUnscale(rec: Recorder, { scaling, grads, maxBinding }: { scaling: View; grads: View; maxBinding?: number }): void {
  for (const w of windows(rec.gpu, grads.size / 4, maxBinding)) {
    const n4 = w.elements / 4;
    rec.dispatch(unscale, {
      params: { n4 },
      buffers: [scaling, windowOf(grads, w)],
      grid: foldGrid(ceilDiv(n4, 64)),
      work: w.elements,
    });
  }
}
