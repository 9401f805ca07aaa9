// accumulate/clear: sum = 0, over an arena that parts of a batch are then added to
// Shapes: sum (4 n4) f32
// Grid: thread per four elements, folded into y. Precision: exact
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> sum: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i < p.n4) { sum[i] = vec4f(); }
}
