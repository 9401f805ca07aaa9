// patchEmbed/classRows: gather rows[b, :] = x[b, 0, :], or its adjoint: x[b, 0, :] = rows[b, :], zero elsewhere
// Shapes, f32: x (B, T, C)  rows (B, C)
// Grid: thread per element of the result, workgroups folded into y. Precision: copies
struct Params { count: u32, tokens: u32, cols: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
override WG: u32 = 64u;
override SCATTER: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.count) { return; }
  let size = p.tokens * p.cols;
  if (SCATTER) {
    let b = i / size;
    let at = i - b * size;
    var value = 0.0;
    if (at < p.cols) { value = input[b * p.cols + at]; }
    output[i] = value;
  } else {
    let b = i / p.cols;
    output[i] = input[b * size + i - b * p.cols];
  }
}
