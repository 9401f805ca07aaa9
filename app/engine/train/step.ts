import { GUARD_BYTES } from '../../../kernels/gradNorm/gradNorm';
import { METRICS_BYTES } from '../../../kernels/metrics/metrics';
import { STEP_STATE_BYTES } from '../../../kernels/stepState';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Program, Recorder } from '../gpu/recorder';
import type { VitModel } from '../model/vit';
import type { GpuDataset } from '../ops/gather';
import type { Stage } from '../ops/stage';
import type { Accumulation } from '../optim/accumulate';
import type { Adam } from '../optim/adam';
import { recordEma } from '../optim/ema';
import { gradNormScratchBytes, recordGradNorm, recordMetrics } from '../optim/gradNorm';
import type { Q3rRegularizer } from '../regularizers/q3r/regularizer';

/** The views that every step of a run shares: parameters, their gradients and the small per-step records. */
export class StepViews {
  /** f32 arena of all parameters, laid out by the parameter table. */
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
  /** Running average of the weights, in their layout; only with `emaDecay`. */
  readonly ema: View | undefined;

  constructor(
    private readonly gpu: Gpu,
    elements: number,
    decoupled: boolean,
    /** Elements of the weights that are averaged; 0 without an average. */
    averaged = 0,
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
    this.ema = averaged > 0 ? buffers.allocate('ema', averaged * 4) : undefined;
  }

  dispose(): void {
    for (const view of [this.params, this.grads, this.reg, this.state, this.guard, this.metrics, this.value, this.scratch, this.ema])
      if (view) this.gpu.buffers.free(view);
  }
}

/** What of the recipe the recorded programs depend on. */
export interface StepRecipe {
  readonly labelSmoothing: number;
  /** Images and labels are mixed as the StepState says. */
  readonly mix: boolean;
  readonly strong: boolean;
}

/** The next batch: gathered from the data set, augmented and normalised, into the model's input. `first` is its first image, in parts. */
export function recordGather(
  gpu: Gpu,
  o: { views: StepViews; model: VitModel; dataset: GpuDataset; batch: number; first: number; stage: Stage | undefined; recipe: StepRecipe },
): Promise<Program> {
  const { views, model, dataset, batch, first, stage, recipe } = o;
  const recorder = new Recorder(gpu, 'gather').setPhase('forward');
  const { images, labels, inputShape: shape } = model;
  dataset.recordGather(recorder, {
    state: views.state,
    images,
    labels,
    batch,
    shape,
    first,
    stage,
    strong: recipe.strong,
    mix: recipe.mix,
  });
  return recorder.build();
}

/** A recorded step; its first `pass` dispatches are forward, loss and backward, the rest updates the weights. */
export interface RecordedStep {
  readonly program: Program;
  readonly pass: number;
}

/**
 * One optimizer step on the batch in the model's input: forward, loss, backward, regularize, clip, update.
 * The Q3R term is evaluated on the weights before the update: beside the moments (AdamQ3R), or added to the gradient (q3r).
 * With `accumulation` the pass is that of one part of `batch` images, and the update takes what all parts have left there.
 */
export async function recordStep(
  gpu: Gpu,
  o: {
    views: StepViews;
    model: VitModel;
    batch: number;
    recipe: StepRecipe;
    adam: Adam;
    q3r: Q3rRegularizer | undefined;
    inLoss: boolean;
    accumulation?: Accumulation | undefined;
  },
): Promise<RecordedStep> {
  const { views, model, batch, adam, q3r, accumulation } = o;
  const { params, grads, reg, state, guard, metrics, value, scratch, ema } = views;
  const recorder = new Recorder(gpu, 'step');

  recorder.setPhase('forward');
  model.recordForward(recorder, params);
  model.recordLoss(recorder, o.recipe.labelSmoothing, { meanOf: batch, mix: o.recipe.mix ? state : undefined });

  recorder.setPhase('backward');
  model.recordBackward(recorder, params, accumulation?.grads ?? grads);
  const pass = recorder.length;

  if (q3r) {
    recorder.setPhase('q3r');
    q3r.recordApply(recorder, { state, out: o.inLoss ? grads : reg!, mode: o.inLoss ? 'add' : 'write', value });
  }

  recorder.setPhase('optimizer');
  const { losses, correct } = accumulation ?? model;
  recordGradNorm(recorder, { grads, losses, correct, batch, state, guard, scratch });
  adam.recordUpdate(recorder, { params, grads, reg: q3r ? reg : undefined, state, guard });
  if (ema) recordEma(recorder, { weights: params, average: ema, state, guard });
  recordMetrics(recorder, { state, guard, batch, regularizer: q3r ? value : undefined, metrics });
  return { program: await recorder.build(), pass };
}

/** What takes a part's gradients, losses and hits into those of the batch. */
export function recordPart(gpu: Gpu, o: { views: StepViews; model: VitModel; accumulation: Accumulation; part: number }): Promise<Program> {
  const { views, model, accumulation, part } = o;
  const recorder = new Recorder(gpu, 'part').setPhase('backward');
  accumulation.recordPart(recorder, part, { losses: model.losses, correct: model.correct, total: views.grads });
  return recorder.build();
}

/** One step of a batch in parts as one program, so that it is cut into submits like any other: valid as long as its pieces are. */
export function joinParts(gpu: Gpu, { program, pass }: RecordedStep, gathers: readonly Program[], parts: readonly Program[]): Program {
  return Program.sequence(gpu, 'step', [
    ...gathers.flatMap((gather, i) => [{ program: gather }, { program, to: pass }, { program: parts[i]! }]),
    { program, from: pass },
  ]);
}
