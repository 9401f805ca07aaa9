import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Readback } from '../gpu/readback';
import { Recorder, type Program } from '../gpu/recorder';
import type { VitModel } from '../model/vit';
import type { GpuDataset } from '../ops/gather';
import { Stage } from '../ops/stage';

/** Loss and accuracy over the first images of a split, queued behind whatever the GPU is doing. */
export class Evaluator {
  private readonly losses: View;
  private readonly correct: View;
  private readonly start: View;
  private readonly readback: Readback;
  private readonly stage: Stage | undefined;
  private program: Program | undefined;

  constructor(
    private readonly gpu: Gpu,
    private readonly model: VitModel,
    private readonly batch: number,
    private readonly dataset: GpuDataset,
  ) {
    const padded = Math.ceil(dataset.count / batch) * batch;
    this.losses = gpu.buffers.allocate('evaluation.losses', padded * 4);
    this.correct = gpu.buffers.allocate('evaluation.correct', padded * 4);
    this.start = gpu.buffers.allocate('evaluation.start', 16);
    this.stage = Stage.create(gpu, { from: dataset.shape, to: model.inputShape, batch });
    this.readback = new Readback(gpu, 'evaluation', padded * 8);
  }

  get built(): boolean {
    return this.program !== undefined;
  }

  /** Allocates before it returns, compiles and records; before the first evaluation. */
  async build(params: View): Promise<void> {
    const recorder = new Recorder(this.gpu, 'evaluation');
    const { images, labels, inputShape: shape } = this.model;
    this.dataset.recordSequential(recorder, { start: this.start, images, labels, batch: this.batch, shape, stage: this.stage });
    this.model.recordForward(recorder, params);
    this.model.recordLoss(recorder, 0);
    this.program = await recorder.build();
  }

  /** Mean loss and accuracy of the first `count` images (at most all). Its work is queued before this returns. */
  async run(count: number): Promise<{ loss: number; accuracy: number; count: number }> {
    const { program, gpu, batch } = this;
    if (!program) throw new Error('the evaluator is not built');
    if (this.readback.busy) throw new Error('an evaluation is under way');
    const total = Math.min(count, this.dataset.count);
    const batches = Math.ceil(total / batch);
    for (let b = 0; b < batches; b++) {
      gpu.write(this.start, new Uint32Array([b * batch]));
      const encoder = gpu.device.createCommandEncoder({ label: 'evaluation' });
      program.encode(encoder);
      encoder.copyBufferToBuffer(this.model.losses.buffer, this.model.losses.offset, this.losses.buffer, b * batch * 4, batch * 4);
      encoder.copyBufferToBuffer(this.model.correct.buffer, this.model.correct.offset, this.correct.buffer, b * batch * 4, batch * 4);
      gpu.device.queue.submit([encoder.finish()]);
    }
    const encoder = gpu.device.createCommandEncoder({ label: 'evaluation.read' });
    this.readback.copy(encoder, { ...this.losses, size: batches * batch * 4 }, { ...this.correct, size: batches * batch * 4 });
    gpu.device.queue.submit([encoder.finish()]);
    const data = await this.readback.map(batches * batch * 8);
    const losses = new Float32Array(data, 0, total);
    const correct = new Uint32Array(data, batches * batch * 4, total);
    return {
      loss: losses.reduce((a, b) => a + b, 0) / total,
      accuracy: correct.reduce((a, b) => a + b, 0) / total,
      count: total,
    };
  }

  dispose(): void {
    this.program?.dispose();
    this.readback.dispose();
    this.stage?.dispose();
    for (const view of [this.losses, this.correct, this.start]) this.gpu.buffers.free(view);
  }
}
