// adamw/collect: the step of adamw/update in the place of its gradient, without the learning rate, weights untouched
//   grads = step(g, m, v),  g = clip_scale * grads, with L2_DECAY + weight_decay * w
//   Others may add to it what passes beside the moments, evaluated on the weights before the step; adamw/move takes it all.
//   Nothing is written while guard.halted is set, or guard.skipped.
// Shapes: params, grads, m, v (4 n4) f32; padding is zero and stays zero
// Grid: thread per four elements, folded into y. Precision: f32, rtol 1e-6 of the step
// Source: as adamw/update
struct Params {
  n4: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: StepState;
@group(0) @binding(2) var<storage, read> guard: Guard;
@group(0) @binding(3) var<storage, read> params: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> grads: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> v: array<vec4f>;
override WG: u32 = 64u;
override L2_DECAY: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n4 || (guard.halted | guard.skipped) != 0u) { return; }
  var g = guard.clip_scale * grads[i];
  if (L2_DECAY) { g += state.weight_decay * params[i]; }
  var m1 = m[i];
  var v1 = v[i];
  grads[i] = adam_step(g, &m1, &v1);
  m[i] = m1;
  v[i] = v1;
}
