// q3r/value: lambda gain <X, R(X)> of every matrix, from the tile sums of q3r/apply
// Shapes: xm as left by q3r/apply; values: one f32 per matrix
// Grid: workgroup of 64 per matrix (x). Precision: f32, fixed order
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> step: StepState;
@group(0) @binding(2) var<storage, read> xm: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> values: array<f32>;
var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.x];
  let width = (m.cols + 3u) / 4u;
  let col_tiles = (width + 1u) / 2u;
  let tiles = col_tiles * ((m.rows + 7u) / 8u);
  var sum = 0.0;
  for (var t = lid.x; t < tiles; t += 64u) {
    sum += xm[m.y + 8u * (t / col_tiles) * width + 2u * (t % col_tiles)].x;
  }
  sums[lid.x] = sum;
  workgroupBarrier();
  if (lid.x == 0u) {
    var total = 0.0;
    for (var t = 0u; t < 64u; t++) { total += sums[t]; }
    values[wid.x] = step.lambda * m.gain * total;
  }
}
