import { accumulate, clear, collect } from '../../../kernels/accumulate/accumulate';
import { ceilDiv, foldGrid } from '../../../kernels/spec';
import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';
import { windowOf, windows } from './arena';

/** Gathers what the parts of a batch leave behind: their gradients, through a stage of one layer's, losses and hits of the whole batch. */
export class Accumulation {
  /** What a part's backward pass writes, layer by layer. Zero at first. */
  readonly stage: View;
  /** f32 [batch]. */
  readonly losses: View;
  /** u32 [batch]. */
  readonly correct: View;

  /** `elements` of the stage; `batch` images in `parts` equal parts. */
  constructor(
    private readonly gpu: Gpu,
    private readonly options: { readonly elements: number; readonly batch: number; readonly parts: number; readonly maxBinding?: number },
  ) {
    this.stage = gpu.buffers.allocate('part.gradients', options.elements * 4);
    this.losses = gpu.buffers.allocate('batch.losses', options.batch * 4);
    this.correct = gpu.buffers.allocate('batch.correct', options.batch * 4);
  }

  /** Before the first part: no gradient in `total`. */
  recordClear(rec: Recorder, total: View): void {
    for (const w of windows(this.gpu, total.size / 4, this.options.maxBinding))
      rec.dispatch(clear, {
        params: { n4: w.elements / 4 },
        buffers: [windowOf(total, w)],
        grid: foldGrid(ceilDiv(w.elements / 4, 64)),
        work: w.elements,
      });
  }

  /** Adds `elements` gradients from `at` of the stage on to those of `total` from `first` on. */
  recordAdd(rec: Recorder, total: View, { first, at, elements }: { first: number; at: number; elements: number }, label: string): void {
    for (const w of windows(this.gpu, elements, this.options.maxBinding))
      rec.dispatch(accumulate, {
        params: { n4: w.elements / 4 },
        buffers: [slice(this.stage, at + w.first, w.elements), slice(total, first + w.first, w.elements)],
        grid: foldGrid(ceilDiv(w.elements / 4, 64)),
        work: w.elements,
        label,
      });
  }

  /** After the backward pass of part `part`, counted from 0: takes over its losses and hits. */
  recordPart(rec: Recorder, part: number, { losses, correct }: { losses: View; correct: View }): void {
    const { batch, parts } = this.options;
    const count = batch / parts;
    rec.dispatch(collect, {
      params: { count, first: part * count },
      buffers: [losses, correct, this.losses, this.correct],
      grid: foldGrid(ceilDiv(count, 64)),
    });
  }

  dispose(): void {
    for (const view of [this.stage, this.losses, this.correct]) this.gpu.buffers.free(view);
  }
}
