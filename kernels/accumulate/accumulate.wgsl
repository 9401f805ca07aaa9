// accumulate/sum: sum += x, over a part of an arena: the gradients of a batch that passes in parts
// Shapes: x, sum (4 n4) f32
// Grid: thread per four elements, folded into y. Precision: f32, parts added in their order
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sum: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i < p.n4) { sum[i] += x[i]; }
}
