// layerNorm/again: y = (x - mean) * rstd * gamma + beta once more, from the statistics of the forward pass
//   The backward pass of the product that follows reads y; making it again costs a pass over x, keeping it the memory.
// Shapes, row-major f32: x, y (rows, cols)  gamma, beta (cols)  stats (rows) pairs (mean, rstd)
// Grid: ROWS rows per workgroup as in forward.wgsl, also for TYPE, STORED and PACK; workgroups folded into y. Precision: f32
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> gamma: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> beta: array<${TYPE}>;
@group(0) @binding(4) var<storage, read> stats: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> y: array<${STORED}>;
const LANES = ${LANES}u;
const ROWS = ${ROWS}u;

@compute @workgroup_size(${LANES} * ${ROWS})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = (wid.x + wid.y * groups.x) * ROWS + local / LANES;
  if (row >= p.rows) { return; }
  let count = p.cols / ${WIDTH}u;
  let base = row * count;
  let s = stats[row];
  for (var c = local % LANES; c < count; c += LANES) {
    y[base + c] = ${PACK}((x[base + c] - s.x) * s.y * gamma[c] + beta[c]);
  }
}
