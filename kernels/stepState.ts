import source from './lib/stepState.wgsl?raw';

/** WGSL declaration of the struct; kernels that read it prepend this text and bind `var<storage, read> state: StepState`. */
export const stepStateWgsl: string = source;

/** Bytes of one StepState. */
export const STEP_STATE_BYTES = 64;

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
}

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
  return out;
}
