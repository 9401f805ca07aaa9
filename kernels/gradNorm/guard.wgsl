// What the optimizer must know of a step before it may touch a weight. Mirrors readGuard in gradNorm.ts.
struct Guard {
  grad_norm: f32,   // before clipping; infinite or NaN when the gradient is
  clip_scale: f32,
  halted: u32,      // 1 from the first bad step on, until the CPU clears it
  halt_step: u32,
  loss: f32,        // mean over the batch
  correct: u32,
  skipped: u32,     // 1: the gradient of this step alone has overflowed; nothing is updated
  reserved: array<u32, 9>,
}
