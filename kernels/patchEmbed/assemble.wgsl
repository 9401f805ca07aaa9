// patchEmbed/assemble: x[b, 0, :] = cls + pos[0, :];  x[b, t, :] += pos[t, :] for t > 0, in place
// Shapes, f32: x (B, T, C), holding the projected patches (row 0 of each image is overwritten)  cls (C)  pos (T, C)
// Grid: thread per (t, c), serial over the batch. Precision: f32
struct Params { batch: u32, tokens: u32, cols: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> cls: array<f32>;
@group(0) @binding(2) var<storage, read> pos: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  let size = p.tokens * p.cols;
  if (i >= size) { return; }
  let shift = pos[i];
  if (i < p.cols) {
    let value = cls[i] + shift;
    for (var b = 0u; b < p.batch; b++) { x[b * size + i] = value; }
  } else {
    for (var b = 0u; b < p.batch; b++) { x[b * size + i] += shift; }
  }
}
