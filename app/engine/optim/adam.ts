import { adamwUpdate } from '../../../kernels/adamw/adamw';
import { ceilDiv, foldGrid } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';
import { windowOf, windows } from './arena';

/** A kernel may not read and write one GPU buffer: `params` lies in another buffer than all the rest. */
export interface UpdateViews {
  /** f32 [elements], updated in place. */
  readonly params: View;
  /** f32 [elements], gradient of the loss, not yet clipped. */
  readonly grads: View;
  /** f32 [elements], 2λR(W) of the weights before the step, zero elsewhere: AdamQ3R's decoupled term. */
  readonly reg?: View | undefined;
  /** StepState. */
  readonly state: View;
  /** Of `recordGradNorm`, recorded earlier in the same program. */
  readonly guard: View;
}

/** AdamW, or Adam with decay in the gradient, over one arena of parameters; owns both moments. */
export class Adam {
  /** Moments, f32 [elements]. Zero at the start. */
  readonly m: View;
  readonly v: View;

  /**
   * `elements` is a multiple of 4, padding included. `maxBinding` lowers the bytes of one binding below the device's limit.
   * `decay` is AdamW's decoupled one by default; 'l2' adds it to the gradient before the moments.
   */
  constructor(
    private readonly gpu: Gpu,
    private readonly options: { readonly elements: number; readonly maxBinding?: number; readonly decay?: 'decoupled' | 'l2' },
  ) {
    this.m = gpu.buffers.allocate('adam.m', options.elements * 4);
    this.v = gpu.buffers.allocate('adam.v', options.elements * 4);
  }

  /** GPU bytes held. */
  get bytes(): number {
    return this.m.size + this.v.size;
  }

  /** One update of all parameters: one dispatch, unless the arena is larger than a binding. */
  recordUpdate(rec: Recorder, { params, grads, reg, state, guard }: UpdateViews): void {
    const { elements, maxBinding, decay } = this.options;
    for (const w of windows(this.gpu, elements, maxBinding)) {
      const n4 = w.elements / 4;
      rec.dispatch(adamwUpdate, {
        params: { n4 },
        buffers: [
          state,
          guard,
          windowOf(grads, w),
          reg ? windowOf(reg, w) : guard,
          windowOf(params, w),
          windowOf(this.m, w),
          windowOf(this.v, w),
        ],
        constants: { HAS_REG: reg ? 1 : 0, L2_DECAY: decay === 'l2' ? 1 : 0 },
        grid: foldGrid(ceilDiv(n4, 64)),
        work: 16 * w.elements,
      });
    }
  }

  /** Forgets both moments, as at step 0. */
  reset(): void {
    const encoder = this.gpu.device.createCommandEncoder({ label: 'adam.reset' });
    for (const view of [this.m, this.v]) encoder.clearBuffer(view.buffer, view.offset, view.size);
    this.gpu.device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    this.gpu.buffers.free(this.m);
    this.gpu.buffers.free(this.v);
  }
}
