import { adamwCollect, adamwMove, adamwUpdate } from '../../../kernels/adamw/adamw';
import { ceilDiv, foldGrid, type KernelSpec } from '../../../kernels/spec';
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

  /**
   * One update of all parameters: one dispatch, unless the arena is larger than a binding. With `addTerm`, the step is first collected in the
   * place of `grads`, in units of the learning rate; what it records adds to that what shall pass beside the moments, evaluated on weights
   * that are still those before the step. While the guard is set, no weight moves, and that is added to
   * the gradients.
   */
  recordUpdate(rec: Recorder, { params, grads, state, guard }: UpdateViews, addTerm?: (step: View) => void): void {
    const { elements, maxBinding, decay } = this.options;
    const constants = { L2_DECAY: decay === 'l2' ? 1 : 0 };
    const each = (spec: KernelSpec, arenas: readonly View[], flops: number): void => {
      for (const w of windows(this.gpu, elements, maxBinding))
        rec.dispatch(spec, {
          params: { n4: w.elements / 4 },
          buffers: [state, guard, ...arenas.map((arena) => windowOf(arena, w))],
          constants,
          grid: foldGrid(ceilDiv(w.elements / 4, 64)),
          work: flops * w.elements,
        });
    };
    if (!addTerm) {
      each(adamwUpdate, [grads, params, this.m, this.v], 16);
      return;
    }
    each(adamwCollect, [params, grads, this.m, this.v], 13);
    addTerm(grads);
    each(adamwMove, [grads, params], 3);
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
