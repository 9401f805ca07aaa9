// layerNorm/forward: y = (x - mean) * rstd * gamma + beta,  rstd = 1 / sqrt(var + epsilon), var biased
// Shapes, row-major f32: x, y (rows, cols)  gamma, beta (cols)  stats (rows) pairs (mean, rstd), kept for backward
// Grid: LANES threads per row, ROWS rows per workgroup, workgroups folded into y. LANES = 1 has no barrier at all,
//   which a software adapter likes; otherwise lanes read neighbours and reduce in a tree. TYPE = vec4f: four columns at a time.
//   STORED, PACK: y may be kept in half precision, see lib/halves.wgsl; then PACK makes it so. The statistics are f32.
// Precision: f32, two passes (mean first, then squared deviations), so a large mean does not cancel.
struct Params { rows: u32, cols: u32, epsilon: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> gamma: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> beta: array<${TYPE}>;
@group(0) @binding(4) var<storage, read_write> y: array<${STORED}>;
@group(0) @binding(5) var<storage, read_write> stats: array<vec2f>;
const LANES = ${LANES}u;
const ROWS = ${ROWS}u;
//#for tree TREE
var<workgroup> scratch: array<f32, ${LANES} * ${ROWS}>;
//#end

fn row_sum(value: f32, local: u32) -> f32 {
//#for tree TREE
  let lane = local % LANES;
  scratch[local] = value;
  workgroupBarrier();
  for (var step = LANES / 2u; step > 0u; step >>= 1u) {
    if (lane < step) { scratch[local] += scratch[local + step]; }
    workgroupBarrier();
  }
  let total = scratch[local - lane];
  workgroupBarrier();
  return total;
//#end
//#for serial SERIAL
  return value;
//#end
}

@compute @workgroup_size(${LANES} * ${ROWS})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = (wid.x + wid.y * groups.x) * ROWS + local / LANES;
  let lane = local % LANES;
  let live = row < p.rows;
  let count = p.cols / ${WIDTH}u;
  let base = min(row, p.rows - 1u) * count;
  let inv = 1.0 / f32(p.cols);
  var sum = ${TYPE}();
  for (var c = lane; c < count; c += LANES) { sum += x[base + c]; }
  let mean = row_sum(${SUM_A}sum${SUM_Z}, local) * inv;
  var squares = ${TYPE}();
  for (var c = lane; c < count; c += LANES) {
    let d = x[base + c] - mean;
    squares += d * d;
  }
  let rstd = 1.0 / sqrt(row_sum(${SUM_A}squares${SUM_Z}, local) * inv + p.epsilon);
  if (live) {
    for (var c = lane; c < count; c += LANES) {
      y[base + c] = ${PACK}((x[base + c] - mean) * rstd * gamma[c] + beta[c]);
    }
    if (lane == 0u) { stats[row] = vec2f(mean, rstd); }
  }
}
