// metrics/record: the eight words that the page gets to see of a step
//   (loss, accuracy, gradient norm, regularizer value, halted, step, loss scale, skipped), accuracy = correct / batch
//   The last two stay zero unless the loss is SCALED.
// Shapes: regularizer (1) f32  metrics (8) words, see metrics.ts
// Grid: one thread. Precision: copies, and one f32 division
struct Params {
  batch: u32,
  has_regularizer: u32,
}
struct Metrics {
  loss: f32,
  accuracy: f32,
  grad_norm: f32,
  regularizer: f32,
  halted: u32,
  step: u32,
  loss_scale: f32,
  skipped: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: StepState;
@group(0) @binding(2) var<storage, read> guard: Guard;
@group(0) @binding(3) var<storage, read> regularizer: array<f32>;
@group(0) @binding(4) var<storage, read_write> metrics: Metrics;
//#for scaled SCALED
@group(0) @binding(5) var<storage, read> scaling: LossScale;
//#end

@compute @workgroup_size(1)
fn main() {
  metrics.loss = guard.loss;
  metrics.accuracy = f32(guard.correct) / f32(p.batch);
  metrics.grad_norm = guard.grad_norm;
  var value = 0.0;
  if (p.has_regularizer != 0u) { value = regularizer[0]; }
  metrics.regularizer = value;
  metrics.halted = guard.halted;
  metrics.step = state.step;
//#for scaled SCALED
  metrics.loss_scale = scaling.scale;
  metrics.skipped = guard.skipped;
//#end
}
