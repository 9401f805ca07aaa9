// svd/measure: partial max |w| and sum of squares of every matrix, from which its scale and norm follow.
// Shapes: arena f32; partials (matrices, PARTS, 2) f32
// Grid: x = ceil(PARTS / WG), y = matrix; invocation t takes elements t, t + PARTS, ...  Precision: f32
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> arena: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec2f>;
const PARTS = 64u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let count = m.rows * m.cols;
  var top = 0.0;
  var sum = 0.0;
  for (var i = lid.x; i < count; i += PARTS) {
    let x = arena[m.w + i];
    top = max(top, abs(x));
    sum = fma(x, x, sum);
  }
  partials[wid.y * PARTS + lid.x] = vec2f(top, sum);
}
