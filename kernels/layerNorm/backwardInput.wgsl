// layerNorm/backwardInput: dx = rstd * (g - mean(g) - xhat * mean(g * xhat)),  g = dy * gamma, xhat = (x - mean) * rstd
//   means are taken over the columns of the row; with accumulate = 1 the result is added to dx (the residual path)
// Shapes, row-major f32: dy, x, dx (rows, cols)  gamma (cols)  stats (rows) pairs (mean, rstd) of the forward pass
// Grid: LANES threads per row, ROWS rows per workgroup, workgroups folded into y (see forward.wgsl, also for TYPE and STORED, which is that of dy here)
// Precision: f32
struct Params { rows: u32, cols: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<${STORED}>;
@group(0) @binding(2) var<storage, read> x: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read> gamma: array<${TYPE}>;
@group(0) @binding(5) var<storage, read_write> dx: array<${TYPE}>;
const LANES = ${LANES}u;
const ROWS = ${ROWS}u;
//#for tree TREE
var<workgroup> scratch: array<vec2f, ${LANES} * ${ROWS}>;
//#end

fn row_sum(value: vec2f, local: u32) -> vec2f {
//#for tree TREE
  let lane = local % LANES;
  scratch[local] = value;
  workgroupBarrier();
  for (var step = LANES / 2u; step > 0u; step >>= 1u) {
    if (lane < step) { scratch[local] += scratch[local + step]; }
    workgroupBarrier();
  }
  return scratch[local - lane];
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
  let at = min(row, p.rows - 1u);
  let count = p.cols / ${WIDTH}u;
  let base = at * count;
  let mean = stats[at].x;
  let rstd = stats[at].y;
  var plain = ${TYPE}();
  var along = ${TYPE}();
  for (var c = lane; c < count; c += LANES) {
    let g = ${UNPACK}(dy[base + c]) * gamma[c];
    plain += g;
    along += g * (x[base + c] - mean);
  }
  let means = row_sum(vec2f(${SUM_A}plain${SUM_Z}, ${SUM_A}along${SUM_Z}), local) / f32(p.cols);
  let slope = means.y * rstd * rstd;
  if (live) {
    for (var c = lane; c < count; c += LANES) {
      let value = rstd * (${UNPACK}(dy[base + c]) * gamma[c] - means.x - (x[base + c] - mean) * slope);
      if (p.accumulate == 1u) { dx[base + c] += value; } else { dx[base + c] = value; }
    }
  }
}
