// What changes from step to step. Written by the CPU before each submit (queue order keeps steps in flight apart);
// everything else a kernel needs is a constant of the recorded program. Mirrors kernels/stepState.ts.
struct StepState {
  step: u32,            // t, counted from 1
  lr: f32,              // of this step, schedule applied
  beta1: f32,
  beta2: f32,
  adam_eps: f32,
  weight_decay: f32,
  correction1: f32,     // 1 - beta1^t, computed in float64
  correction2: f32,     // 1 - beta2^t
  lambda: f32,
  grad_clip: f32,       // 0: off
  seed: u32,            // of the run; kernels derive their streams from it
  epoch: u32,           // counted from 0
  position: u32,        // first sample of this batch within the epoch
  train_count: u32,
  augment: u32,         // 0 none, 1 crop and flip, 2 strong
  one_minus_beta2: f32, // 1 - beta2 in float64: subtracting in float32 would be off by 1e-5 for 0.999
  mix: u32,             // 0 none, 1 mixup, 2 cutmix
  mix_weight: f32,      // of a sample's own label, in [0, 1]; 1 without mixing
  box_left: u32,        // cutmix: [left, right) x [top, bottom) comes from the partner, in pixels of the model's input
  box_top: u32,
  box_right: u32,
  box_bottom: u32,
  ema_rate: f32,        // 1 - decay of the running average of the weights, of this step
}
