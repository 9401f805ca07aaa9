// layerNorm/finishAffine: dGamma_c and dBeta_c as sums of the chunks that backwardAffine.wgsl left
// Shapes, f32: partials (chunks, 2, cols)  d_gamma, d_beta (cols)
// Grid: thread per column. Precision: f32, fixed order
struct Params { chunks: u32, cols: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> d_gamma: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_beta: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG) fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= p.cols) { return; }
  var sums = vec2f(0.0);
  for (var g = 0u; g < p.chunks; g++) {
    let at = 2u * g * p.cols + gid.x;
    sums += vec2f(partials[at], partials[at + p.cols]);
  }
  d_gamma[gid.x] = sums.x;
  d_beta[gid.x] = sums.y;
}
