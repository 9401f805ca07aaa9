// accumulate/collect: all_losses[first + i] = losses[i],  all_correct[first + i] = correct[i]: one part's rows of the whole batch
// Shapes: losses (count) f32  correct (count) u32  all_losses, all_correct: of the whole batch
// Grid: thread per row, folded into y. Precision: copies
struct Params { count: u32, first: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> losses: array<f32>;
@group(0) @binding(2) var<storage, read> correct: array<u32>;
@group(0) @binding(3) var<storage, read_write> all_losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> all_correct: array<u32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.count) { return; }
  all_losses[p.first + i] = losses[i];
  all_correct[p.first + i] = correct[i];
}
