// q3r/total: the sum of all matrices' values, for the metrics of a step
// Shapes: values: count f32; total: one f32
// Grid: one workgroup of 64. Precision: f32, fixed order
// Source: ours
struct Params { count: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;
var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lid: vec3u) {
  var sum = 0.0;
  for (var t = lid.x; t < p.count; t += 64u) { sum += values[t]; }
  sums[lid.x] = sum;
  workgroupBarrier();
  if (lid.x == 0u) {
    var all = 0.0;
    for (var t = 0u; t < 64u; t++) { all += sums[t]; }
    total[0] = all;
  }
}
