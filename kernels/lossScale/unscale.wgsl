// lossScale/unscale: grads /= scale, over an arena: what a backward pass from the scaled loss has left becomes the gradient of the loss
//   Once, before anything reads it, so that all that follows, Q3R's term in the gradient and weight decay among it, knows of no scale.
// Shapes: grads (4 n4) f32
// Grid: thread per four elements, folded into y. Precision: exact but for what is subnormal in f32, as the scale is a power of two
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> scaling: LossScale;
@group(0) @binding(2) var<storage, read_write> grads: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.n4) { return; }
  grads[i] *= 1.0 / scaling.scale;
}
