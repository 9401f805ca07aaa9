// ema/update: a += (1 - d)(w - a), the running average of the weights after a step, d = min(decay, (1 + t) / (10 + t))
//   1 - d comes with the StepState, computed in float64. Nothing is written while guard.halted is set, or guard.skipped.
//   As an increment: an average that has reached constant weights stays there exactly.
// Shapes: weights, average (4 n4) f32
// Grid: thread per four elements, folded into y. Precision: f32
// Source: Polyak and Juditsky, SIAM J. Control Optim. 30(4), 1992; the warm-up of d is TensorFlow's
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: StepState;
@group(0) @binding(2) var<storage, read> guard: Guard;
@group(0) @binding(3) var<storage, read> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> average: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.n4 || (guard.halted | guard.skipped) != 0u) { return; }
  let a = average[i];
  average[i] = a + state.ema_rate * (weights[i] - a);
}
