// adamw/update: one Adam step over a whole parameter arena, gradients clipped
//   AdamW:              g = clip_scale * grads                       w = w (1 - lr weight_decay), then the step
//   Adam (L2_DECAY):    g = clip_scale * grads + weight_decay * w    the decay passes through the moments, unclipped
//   w -= lr step(g, m, v)
//   Nothing is written while guard.halted is set, or guard.skipped: the weights stay those of the last good step.
// Shapes: params, grads, m, v (4 n4) f32; padding is zero and stays zero
// Grid: thread per four elements, folded into y. Precision: f32, rtol 1e-6 of the step
// Source: Loshchilov and Hutter, arXiv 1711.05101, in PyTorch's form (eps outside the root, after the correction)
struct Params {
  n4: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: StepState;
@group(0) @binding(2) var<storage, read> guard: Guard;
@group(0) @binding(3) var<storage, read> grads: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> params: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> v: array<vec4f>;
override WG: u32 = 64u;
override L2_DECAY: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n4 || (guard.halted | guard.skipped) != 0u) { return; }
  var g = guard.clip_scale * grads[i];
  var w = params[i];
  if (L2_DECAY) { g += state.weight_decay * w; } else { w *= 1.0 - state.lr * state.weight_decay; }
  var m1 = m[i];
  var v1 = v[i];
  let step = adam_step(g, &m1, &v1);
  m[i] = m1;
  v[i] = v1;
  params[i] = w - state.lr * step;
}
