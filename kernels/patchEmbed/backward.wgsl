// patchEmbed/backward: dPos[t, c] = sum_b dx[b, t, c];  dCls = dPos[0]
//   token_sums repeats dPos in a scratch buffer: dBias is the sum of its rows 1..T-1, and a kernel may not read a
//   buffer (the gradient arena) that it also writes through another binding.
// Shapes, f32: dx (B, T, C)  d_pos, token_sums (T, C)  d_cls (C)
// Grid: thread per (t, c), serial over the batch. Precision: f32, fixed order
struct Params { batch: u32, tokens: u32, cols: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dx: array<f32>;
@group(0) @binding(2) var<storage, read_write> d_pos: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_cls: array<f32>;
@group(0) @binding(4) var<storage, read_write> token_sums: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  let size = p.tokens * p.cols;
  if (i >= size) { return; }
  var sum = 0.0;
  for (var b = 0u; b < p.batch; b++) { sum += dx[b * size + i]; }
  d_pos[i] = sum;
  token_sums[i] = sum;
  if (i < p.cols) { d_cls[i] = sum; }
}
