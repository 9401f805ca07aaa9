// patchEmbed/meanRows: mean pooling  rows[b, :] = (sum of x[b, t, :] over t > 0) / (T - 1), without the class token,
//   or its adjoint: x[b, 0, :] = 0,  x[b, t, :] = rows[b, :] / (T - 1) for t > 0
// Shapes, f32: x (B, T, C)  rows (B, C)
// Grid: thread per element of the result, workgroups folded into y; the sum is serial over t. Precision: f32, fixed order
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
  let patches = f32(p.tokens - 1u);
  if (SCATTER) {
    let b = i / size;
    let at = i - b * size;
    var value = 0.0;
    if (at >= p.cols) { value = input[b * p.cols + at % p.cols] / patches; }
    output[i] = value;
  } else {
    let b = i / p.cols;
    let first = b * size + i - b * p.cols;
    var sum = 0.0;
    for (var t = 1u; t < p.tokens; t++) { sum += input[first + t * p.cols]; }
    output[i] = sum / patches;
  }
}
