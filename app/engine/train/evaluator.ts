import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Readback } from '../gpu/readback';
import { Recorder, submitsFor, type PassTimer, type Program } from '../gpu/recorder';
import { MAX_PASSES, type StepTimer } from '../gpu/timestamps';
import type { VitModel } from '../model/vit';
import type { GpuDataset } from '../ops/gather';
import type { RecordLinear } from '../ops/linear';
import { Stage } from '../ops/stage';

export interface EvaluationResult {
  loss: number;
  /** Share of the images classified correctly. */
  accuracy: number;
  count: number;
}

/**
 * Queues a program that reads its batch from the image at `start` on, once for each batch, in submits of a bearable length; `after` copies
 * out what a batch left. Everything is queued when this returns. Returns the submits of a batch.
 */
export function submitBatches(
  gpu: Gpu,
  program: Program,
  o: { start: View; batch: number; batches: number; passes?: PassTimer | undefined },
  after: (encoder: GPUCommandEncoder, batch: number) => void,
): number {
  const parts = program.split(submitsFor(gpu, program));
  for (let b = 0; b < o.batches; b++) {
    gpu.write(o.start, new Uint32Array([b * o.batch]));
    parts.forEach(([first, end], i) => {
      const encoder = gpu.device.createCommandEncoder({ label: program.label });
      program.encode(encoder, o.passes, first, end);
      if (i === parts.length - 1) after(encoder, b);
      gpu.device.queue.submit([encoder.finish()]);
    });
  }
  return parts.length;
}

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
    /** Measures the GPU's own time of each run. */
    private readonly timer?: StepTimer,
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
    this.program = await this.record(params);
  }

  /** A program for `run`, of which linear layers may use other weights; the caller disposes of it. */
  record(params: View, linear?: RecordLinear): Promise<Program> {
    const recorder = new Recorder(this.gpu, 'evaluation');
    const { images, labels, inputShape: shape } = this.model;
    this.dataset.recordSequential(recorder, { start: this.start, images, labels, batch: this.batch, shape, stage: this.stage });
    this.model.recordForward(recorder, params, linear);
    this.model.recordLoss(recorder, 0);
    return recorder.build();
  }

  /** Mean loss and accuracy of the first `count` images (at most all). Its work is queued before this returns. */
  async run(count: number): Promise<EvaluationResult> {
    const { milliseconds: _, ...result } = await this.timed(count);
    return result;
  }

  /** As `run`, with the milliseconds the GPU was at it: by its own clock where there is a timer, else from the submit to the answer. */
  async timed(count: number, program = this.program): Promise<EvaluationResult & { milliseconds: number }> {
    const { gpu, batch, timer } = this;
    if (!program) throw new Error('the evaluator is not built');
    if (this.readback.busy) throw new Error('an evaluation is under way');
    const total = Math.min(count, this.dataset.count);
    const batches = Math.ceil(total / batch);
    const passes = timer?.begin();
    const from = performance.now();
    const parts = submitBatches(gpu, program, { start: this.start, batch, batches, passes }, (encoder, b) => {
      encoder.copyBufferToBuffer(this.model.losses.buffer, this.model.losses.offset, this.losses.buffer, b * batch * 4, batch * 4);
      encoder.copyBufferToBuffer(this.model.correct.buffer, this.model.correct.offset, this.correct.buffer, b * batch * 4, batch * 4);
    });
    const encoder = gpu.device.createCommandEncoder({ label: 'evaluation.read' });
    timer?.finish(encoder);
    this.readback.copy(encoder, { ...this.losses, size: batches * batch * 4 }, { ...this.correct, size: batches * batch * 4 });
    gpu.device.queue.submit([encoder.finish()]);
    const data = await this.readback.map(batches * batch * 8);
    const wall = performance.now() - from;
    const times = await timer?.read();
    const losses = new Float32Array(data, 0, total);
    const correct = new Uint32Array(data, batches * batch * 4, total);
    return {
      loss: losses.reduce((a, b) => a + b, 0) / total,
      accuracy: correct.reduce((a, b) => a + b, 0) / total,
      count: total,
      // The clock has room for so many passes; the others take as long.
      milliseconds: times ? times.other / Math.min(1, MAX_PASSES / (batches * parts)) : wall,
    };
  }

  dispose(): void {
    this.program?.dispose();
    this.readback.dispose();
    this.stage?.dispose();
    for (const view of [this.losses, this.correct, this.start]) this.gpu.buffers.free(view);
  }
}
