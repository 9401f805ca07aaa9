// gradNorm/finalize: guard = (norm, clip scale, halted, halt step, mean loss, correct) of this step
//   norm = sqrt(sum partials),  clip scale = min(1, grad_clip / norm), 1 when grad_clip = 0
//   loss = (sum losses) / batch,  correct = sum of hits
//   halted becomes 1 when norm or loss is not finite, seen by the exponent bits (a compiler may assume that floats are
//   never NaN), and stays 1 until the CPU clears it; halt step is the step at which it became 1.
//   SCALED, with a finite loss: a norm that is not finite is the scale's doing. The step is skipped and the scale halved, until it
//   would pass below LOWEST; then the gradient itself is bad. After GROWTH steps without a skip the scale doubles, up to HIGHEST.
// Shapes: partials (count) f32  losses (batch) f32  correct (batch) u32  guard: 16 words, see gradNorm.ts
// Grid: one workgroup; 4 WG strided sums, four to an invocation, then a tree. Precision: f32, rtol 1e-6
//   Little workgroup memory: software adapters write its initial zeros one by one, and compile every write.
struct Params {
  count: u32,
  batch: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: StepState;
@group(0) @binding(2) var<storage, read> partials: array<vec4f>;
@group(0) @binding(3) var<storage, read> losses: array<f32>;
@group(0) @binding(4) var<storage, read> correct: array<u32>;
@group(0) @binding(5) var<storage, read_write> guard: Guard;
//#for scaled SCALED
@group(0) @binding(6) var<storage, read_write> scaling: LossScale;
//#end
override WG: u32 = 64u;
var<workgroup> squares: array<f32, WG>;
var<workgroup> loss_sums: array<f32, WG>;
var<workgroup> hits: array<u32, WG>;

fn finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) t: u32) {
  var square = vec4f();
  var loss = vec4f();
  var hit = vec4u();
  for (var q = 0u; q < 4u; q++) {
    var part = vec4f();
    for (var i = t + q * WG; i < p.count / 4u; i += 4u * WG) { part += partials[i]; }
    square[q] = (part.x + part.y) + (part.z + part.w);
    for (var i = t + q * WG; i < p.batch; i += 4u * WG) {
      loss[q] += losses[i];
      hit[q] += correct[i];
    }
  }
  squares[t] = (square.x + square.z) + (square.y + square.w);
  loss_sums[t] = (loss.x + loss.z) + (loss.y + loss.w);
  hits[t] = (hit.x + hit.z) + (hit.y + hit.w);
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) {
      squares[t] += squares[t + half];
      loss_sums[t] += loss_sums[t + half];
      hits[t] += hits[t + half];
    }
  }
  if (t != 0u) { return; }
  let total = squares[0];
  let mean = loss_sums[0] / f32(p.batch);
  // The sum is tested, not its root: sqrt need not keep an infinity.
//#for plain PLAIN
  let bad = !finite(total) || !finite(mean);
//#end
//#for scaled SCALED
  let skipped = !finite(total) && finite(mean) && scaling.scale > LOWEST;
  let bad = !skipped && (!finite(total) || !finite(mean));
  guard.skipped = select(0u, 1u, skipped);
  if (skipped) {
    scaling.scale *= 0.5;
    scaling.good = 0u;
    scaling.skips += 1u;
  } else if (!bad && guard.halted == 0u) {
    scaling.good += 1u;
    if (scaling.good >= GROWTH) {
      scaling.scale = min(2.0 * scaling.scale, HIGHEST);
      scaling.good = 0u;
    }
  }
//#end
  let norm = sqrt(total);
  guard.grad_norm = select(total, norm, finite(total));
  guard.clip_scale = select(1.0, state.grad_clip / norm, state.grad_clip > 0.0 && norm > state.grad_clip);
  if (bad && guard.halted == 0u) {
    guard.halted = 1u;
    guard.halt_step = state.step;
  }
  guard.loss = mean;
  guard.correct = hits[0];
}
