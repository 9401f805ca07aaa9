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
import { allocateLossScale, recordUnscale } from '../optim/lossScale';
import type { Factorization } from '../factorization/factorization';
import type { Regularizer } from '../regularizers/regularizer';

/** The views that every step of a run shares: parameters, their gradients and the small per-step records. */
export class StepViews {
  /** f32 arena of all trained parameters: the model's, or factors in the place of some of them. */
  readonly params: View;
  readonly grads: View;
  readonly state: View;
  readonly guard: View;
  readonly metrics: View;
  /** One f32: the Q3R value of the step. */
  readonly value: View;
  readonly scratch: View;
  /** Running average of the weights, in their layout; only with `emaDecay`. */
  readonly ema: View | undefined;
  /** LossScale; only with mixed precision. */
  readonly scaling: View | undefined;

  constructor(
    private readonly gpu: Gpu,
    elements: number,
    /** `averaged`: elements of the weights that are, 0 without an average. */
    { averaged = 0, scaled = false }: { averaged?: number; scaled?: boolean },
  ) {
    const { buffers } = gpu;
    this.params = buffers.allocate('parameters', elements * 4);
    this.grads = buffers.allocate('gradients', elements * 4);
    this.state = buffers.allocate('step.state', STEP_STATE_BYTES);
    this.guard = buffers.allocate('step.guard', GUARD_BYTES);
    this.metrics = buffers.allocate('step.metrics', METRICS_BYTES);
    this.value = buffers.allocate('q3r.value', 16);
    this.scratch = buffers.allocate('gradNorm.scratch', gradNormScratchBytes(gpu, elements));
    this.ema = averaged > 0 ? buffers.allocate('ema', averaged * 4) : undefined;
    this.scaling = scaled ? allocateLossScale(gpu) : undefined;
  }

  dispose(): void {
    const { params, grads, state, guard, metrics, value, scratch, ema, scaling } = this;
    for (const view of [params, grads, state, guard, metrics, value, scratch, ema, scaling]) if (view) this.gpu.buffers.free(view);
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
 * The Q3R term is evaluated on the weights before the update: added to the step beside the moments (AdamQ3R), or to the gradient (q3r).
 * With `accumulation` the pass is that of one part of `batch` images, whose gradients are added to those of the parts before it.
 * With a loss scale the gradients are freed of it as soon as they are complete.
 * With factors the model runs on the weights composed from them: their gradients are mapped to those of the factors before
 * anything else looks at them, and the weights are composed anew after the update.
 */
export async function recordStep(
  gpu: Gpu,
  o: {
    views: StepViews;
    model: VitModel;
    batch: number;
    recipe: StepRecipe;
    adam: Adam;
    regularizer: Regularizer | undefined;
    inLoss: boolean;
    accumulation?: Accumulation | undefined;
    factorization: Factorization | undefined;
  },
): Promise<RecordedStep> {
  const { views, model, batch, adam, regularizer, accumulation, factorization } = o;
  const { params, grads, state, guard, metrics, value, scratch, ema, scaling } = views;
  const recorder = new Recorder(gpu, 'step');

  recorder.setPhase('forward');
  const weights = factorization?.weights ?? params;
  model.recordForward(recorder, weights);
  model.recordLoss(recorder, o.recipe.labelSmoothing, { meanOf: batch, mix: o.recipe.mix ? state : undefined, scaling });

  recorder.setPhase('backward');
  const total = factorization?.weightGrads ?? grads;
  let window = 0;
  if (!accumulation) model.recordBackward(recorder, weights, total);
  else
    model.recordBackward(recorder, weights, accumulation.stage, (w) =>
      accumulation.recordAdd(recorder, total, w, `accumulate.${window++}`),
    );
  const pass = recorder.length;
  if (scaling) recordUnscale(recorder, { scaling, grads: total });
  factorization?.recordGradients(recorder);

  const addTerm = (out: View): void => {
    recorder.setPhase('q3r');
    regularizer?.recordApply(recorder, { state, out, mode: 'add', value });
    recorder.setPhase('optimizer');
  };
  if (o.inLoss) addTerm(grads);

  recorder.setPhase('optimizer');
  const { losses, correct } = accumulation ?? model;
  recordGradNorm(recorder, { grads, losses, correct, batch, state, guard, scratch, scaling });
  adam.recordUpdate(recorder, { params, grads, state, guard }, regularizer && !o.inLoss ? addTerm : undefined);
  factorization?.recordCompose(recorder);
  if (ema) recordEma(recorder, { weights, average: ema, state, guard });
  recordMetrics(recorder, { state, guard, batch, regularizer: regularizer ? value : undefined, metrics, scaling });
  return { program: await recorder.build(), pass };
}

/** What begins a batch in parts: `total` is where its gradients are summed. */
export function recordClear(gpu: Gpu, accumulation: Accumulation, total: View): Promise<Program> {
  const recorder = new Recorder(gpu, 'clear').setPhase('backward');
  accumulation.recordClear(recorder, total);
  return recorder.build();
}

/** What takes a part's losses and hits into those of the batch. */
export function recordPart(
  gpu: Gpu,
  { model, accumulation, part }: { model: VitModel; accumulation: Accumulation; part: number },
): Promise<Program> {
  const recorder = new Recorder(gpu, 'part').setPhase('backward');
  accumulation.recordPart(recorder, part, { losses: model.losses, correct: model.correct });
  return recorder.build();
}

/**
 * One step of a batch in parts as one program, so that it is cut into submits like any other: valid as long as its pieces are. `parts`:
 * what begins the batch, and what ends each part.
 */
export function joinParts(
  gpu: Gpu,
  { program, pass }: RecordedStep,
  gathers: readonly Program[],
  [clear, ...ends]: readonly Program[],
): Program {
  return Program.sequence(gpu, 'step', [
    { program: clear! },
    ...gathers.flatMap((gather, i) => [{ program: gather }, { program, to: pass }, { program: ends[i]! }]),
    { program, from: pass },
  ]);
}
