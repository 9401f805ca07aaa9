import { GUARD_BYTES } from '../../../kernels/gradNorm/gradNorm';
import { METRICS_BYTES } from '../../../kernels/metrics/metrics';
import { STEP_STATE_BYTES } from '../../../kernels/stepState';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder, type Program } from '../gpu/recorder';
import type { VitModel } from '../model/vit';
import type { GpuDataset } from '../ops/gather';
import type { Adam } from '../optim/adam';
import { gradNormScratchBytes, recordGradNorm, recordMetrics } from '../optim/gradNorm';
import type { Factorization } from '../factorization/factorization';
import type { Regularizer } from '../regularizers/regularizer';

/** The views that every step of a run shares: parameters, their gradients and the small per-step records. */
export class StepViews {
  /** f32 arena of all trained parameters: the model's, or factors in the place of some of them. */
  readonly params: View;
  readonly grads: View;
  /** 2λR(W) of the weights before the step; only with AdamQ3R. */
  readonly reg: View | undefined;
  readonly state: View;
  readonly guard: View;
  readonly metrics: View;
  /** One f32: the Q3R value of the step. */
  readonly value: View;
  readonly scratch: View;

  constructor(
    private readonly gpu: Gpu,
    elements: number,
    decoupled: boolean,
  ) {
    const { buffers } = gpu;
    this.params = buffers.allocate('parameters', elements * 4);
    this.grads = buffers.allocate('gradients', elements * 4);
    this.reg = decoupled ? buffers.allocate('q3r.term', elements * 4) : undefined;
    this.state = buffers.allocate('step.state', STEP_STATE_BYTES);
    this.guard = buffers.allocate('step.guard', GUARD_BYTES);
    this.metrics = buffers.allocate('step.metrics', METRICS_BYTES);
    this.value = buffers.allocate('q3r.value', 16);
    this.scratch = buffers.allocate('gradNorm.scratch', gradNormScratchBytes(gpu, elements));
  }

  dispose(): void {
    for (const view of [this.params, this.grads, this.reg, this.state, this.guard, this.metrics, this.value, this.scratch])
      if (view) this.gpu.buffers.free(view);
  }
}

/** The next batch: gathered from the data set, augmented and normalised, into the model's input. */
export function recordGather(gpu: Gpu, views: StepViews, model: VitModel, dataset: GpuDataset, batch: number): Promise<Program> {
  const recorder = new Recorder(gpu, 'gather').setPhase('forward');
  dataset.recordGather(recorder, { state: views.state, images: model.images, labels: model.labels, batch });
  return recorder.build();
}

/**
 * One optimizer step on the batch in the model's input: forward, loss, backward, regularize, clip, update.
 * The Q3R term is evaluated on the weights before the update: beside the moments (AdamQ3R), or added to the gradient (q3r).
 * With factors the model runs on the weights composed from them: their gradients are mapped to those of the factors before
 * anything else looks at them, and the weights are composed anew after the update.
 */
export function recordStep(
  gpu: Gpu,
  o: {
    views: StepViews;
    model: VitModel;
    batch: number;
    labelSmoothing: number;
    adam: Adam;
    regularizer: Regularizer | undefined;
    inLoss: boolean;
    factorization: Factorization | undefined;
  },
): Promise<Program> {
  const { views, model, batch, adam, regularizer, factorization } = o;
  const { params, grads, reg, state, guard, metrics, value, scratch } = views;
  const recorder = new Recorder(gpu, 'step');

  recorder.setPhase('forward');
  const weights = factorization?.weights ?? params;
  model.recordForward(recorder, weights);
  model.recordLoss(recorder, o.labelSmoothing);

  recorder.setPhase('backward');
  model.recordBackward(recorder, weights, factorization?.weightGrads ?? grads);
  factorization?.recordGradients(recorder);

  if (regularizer) {
    recorder.setPhase('q3r');
    regularizer.recordApply(recorder, { state, out: o.inLoss ? grads : reg!, mode: o.inLoss ? 'add' : 'write', value });
  }

  recorder.setPhase('optimizer');
  recordGradNorm(recorder, { grads, losses: model.losses, correct: model.correct, batch, state, guard, scratch });
  adam.recordUpdate(recorder, { params, grads, reg: regularizer ? reg : undefined, state, guard });
  factorization?.recordCompose(recorder);
  recordMetrics(recorder, { state, guard, batch, regularizer: regularizer ? value : undefined, metrics });
  return recorder.build();
}
