import { packStepState, STEP_STATE_BYTES, type StepState } from '../../kernels/stepState';
import type { View } from '../../app/engine/gpu/buffers';
import type { Gpu } from '../../app/engine/gpu/device';

export const STATE: StepState = {
  step: 1,
  lr: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  adamEps: 1e-8,
  weightDecay: 0,
  lambda: 1,
  gradClip: 0,
  seed: 1,
  epoch: 0,
  position: 0,
  trainCount: 1,
  augment: 'none',
};

/** A StepState buffer and a function that overwrites it. */
export function stepState(gpu: Gpu, initial: Partial<StepState> = {}): { view: View; write: (s: Partial<StepState>) => void } {
  const view = gpu.buffers.allocate('state', STEP_STATE_BYTES);
  let current = { ...STATE, ...initial };
  const write = (s: Partial<StepState>) => {
    current = { ...current, ...s };
    gpu.write(view, packStepState(current));
  };
  write({});
  return { view, write };
}
