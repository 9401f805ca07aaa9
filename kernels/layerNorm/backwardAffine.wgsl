// layerNorm/backwardAffine: partials sums of dGamma_c = sum_r dy_rc * xhat_rc and dBeta_c = sum_r dy_rc
// Shapes, f32: dy, x (rows, cols)  stats (rows) pairs (mean, rstd)  partials (chunks, 2, cols), dGamma before dBeta
// Grid: x covers cols (in fours with TYPE = vec4f), y the chunks of `chunk` rows; finishAffine.wgsl adds the chunks. Fixed order, no atomics.
//   STORED: dy may be kept in half precision, see lib/halves.wgsl.
// Precision: f32
struct Params { rows: u32, cols: u32, chunk: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<${STORED}>;
@group(0) @binding(2) var<storage, read> x: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> partials: array<${TYPE}>;
override WG: u32 = 64u;

@compute @workgroup_size(WG) fn main(@builtin(global_invocation_id) gid: vec3u) {
  let count = p.cols / ${WIDTH}u;
  if (gid.x >= count) { return; }
  let begin = gid.y * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  var d_gamma = ${TYPE}();
  var d_beta = ${TYPE}();
  for (var r = begin; r < end; r++) {
    let g = ${UNPACK}(dy[r * count + gid.x]);
    let s = stats[r];
    d_gamma += g * ((x[r * count + gid.x] - s.x) * s.y);
    d_beta += g;
  }
  partials[2u * gid.y * count + gid.x] = d_gamma;
  partials[(2u * gid.y + 1u) * count + gid.x] = d_beta;
}
