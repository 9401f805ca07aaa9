import { accumulate, collect } from '../../../kernels/accumulate/accumulate';
import { ceilDiv, foldGrid } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';
import { windowOf, windows } from './arena';

/** Gathers what the parts of a batch leave behind: their gradients in an arena of its own, losses and hits of the whole batch. */
export class Accumulation {
  /** What a part's backward pass writes. */
  readonly grads: View;
  /** f32 [batch]. */
  readonly losses: View;
  /** u32 [batch]. */
  readonly correct: View;

  /** `elements` of the gradient arena; `batch` images in `parts` equal parts. */
  constructor(
    private readonly gpu: Gpu,
    private readonly options: { readonly elements: number; readonly batch: number; readonly parts: number; readonly maxBinding?: number },
  ) {
    this.grads = gpu.buffers.allocate('part.gradients', options.elements * 4);
    this.losses = gpu.buffers.allocate('batch.losses', options.batch * 4);
    this.correct = gpu.buffers.allocate('batch.correct', options.batch * 4);
  }

  /**
   * After the backward pass of part `part`, counted from 0: adds its gradients to `total`, which part 0 overwrites, and
   * takes over its losses and hits.
   */
  recordPart(rec: Recorder, part: number, { losses, correct, total }: { losses: View; correct: View; total: View }): void {
    const { elements, batch, parts, maxBinding } = this.options;
    const count = batch / parts;
    for (const w of windows(this.gpu, elements, maxBinding)) {
      const n4 = w.elements / 4;
      rec.dispatch(accumulate, {
        params: { n4 },
        buffers: [windowOf(this.grads, w), windowOf(total, w)],
        constants: { ADD: part === 0 ? 0 : 1 },
        grid: foldGrid(ceilDiv(n4, 64)),
        work: w.elements,
        label: `accumulate.${part}`,
      });
    }
    rec.dispatch(collect, {
      params: { count, first: part * count },
      buffers: [losses, correct, this.losses, this.correct],
      grid: foldGrid(ceilDiv(count, 64)),
    });
  }

  dispose(): void {
    for (const view of [this.grads, this.losses, this.correct]) this.gpu.buffers.free(view);
  }
}
