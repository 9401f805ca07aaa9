import source from './lib/stepState.wgsl?raw';

/** WGSL declaration of the struct; kernels that read it prepend this text and bind `var<storage, read> state: StepState`. */
export const stepStateWgsl: string = source;

/** Bytes of one StepState. */
export const STEP_STATE_BYTES = 96;

/** How the images of a step are mixed with their partners. */
export interface Mix {
  readonly kind: 'none' | 'mixup' | 'cutmix';
  /** Of a sample's own label, in [0, 1]. */
  readonly weight: number;
  /** Cutmix: left, top, right, bottom of what comes from the partner, in pixels of the model's input; right and bottom are outside. */
  readonly box: readonly [number, number, number, number];
}
export const NO_MIX: Mix = { kind: 'none', weight: 1, box: [0, 0, 0, 0] };

export interface StepState {
  /** t, counted from 1. */
  step: number;
  /** Learning rate of this step, schedule applied. */
  lr: number;
  beta1: number;
  beta2: number;
  adamEps: number;
  weightDecay: number;
  lambda: number;
  /** Largest global gradient norm; 0 is off. */
  gradClip: number;
  seed: number;
  /** Counted from 0. */
  epoch: number;
  /** First sample of this batch within the epoch. */
  position: number;
  trainCount: number;
  augment: 'none' | 'basic' | 'strong';
  /** Left out: no mixing. */
  mix?: Mix;
  /** Memory of the running average of the weights in [0, 1), before the warm-up correction of `emaDecayAt`. */
  emaDecay?: number;
}

/**
 * Decay of the running average at step t, counted from 1: min(decay, (1 + t) / (10 + t)), so that a young average follows the
 * weights; as TensorFlow's ExponentialMovingAverage with `num_updates`.
 */
export const emaDecayAt = (decay: number, t: number): number => Math.min(decay, (1 + t) / (10 + t));

/** Packs the struct; the bias corrections 1 − βᵗ are computed here in float64. */
export function packStepState(s: StepState): ArrayBuffer {
  const out = new ArrayBuffer(STEP_STATE_BYTES);
  const f = new Float32Array(out);
  const u = new Uint32Array(out);
  u[0] = s.step;
  f[1] = s.lr;
  f[2] = s.beta1;
  f[3] = s.beta2;
  f[4] = s.adamEps;
  f[5] = s.weightDecay;
  f[6] = 1 - s.beta1 ** s.step;
  f[7] = 1 - s.beta2 ** s.step;
  f[8] = s.lambda;
  f[9] = s.gradClip;
  u[10] = s.seed;
  u[11] = s.epoch;
  u[12] = s.position;
  u[13] = s.trainCount;
  u[14] = ['none', 'basic', 'strong'].indexOf(s.augment);
  f[15] = 1 - s.beta2;
  const { kind, weight, box } = s.mix ?? NO_MIX;
  u[16] = ['none', 'mixup', 'cutmix'].indexOf(kind);
  f[17] = weight;
  u.set(box, 18);
  f[22] = 1 - emaDecayAt(s.emaDecay ?? 0, s.step);
  return out;
}
