// adamw/move: w = w (1 - lr weight_decay) - lr step, or (L2_DECAY) w -= lr step, the step as adamw/collect and others have left it
//   Nothing is written while guard.halted is set, or guard.skipped.
// Shapes: step, params (4 n4) f32
// Grid: thread per four elements, folded into y. Precision: f32, rtol 1e-6 of the step
// Source: as adamw/update
struct Params {
  n4: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: StepState;
@group(0) @binding(2) var<storage, read> guard: Guard;
@group(0) @binding(3) var<storage, read> step: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> params: array<vec4f>;
override WG: u32 = 64u;
override L2_DECAY: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n4 || (guard.halted | guard.skipped) != 0u) { return; }
  var w = params[i];
  if (!L2_DECAY) { w *= 1.0 - state.lr * state.weight_decay; }
  params[i] = w - state.lr * step[i];
}
