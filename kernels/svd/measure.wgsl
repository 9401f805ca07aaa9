// svd/measure: partial max |w| and sum of squares of every matrix, from which its scale and norm follow.
//   A sum is in units of the square of its own max |w|'s power of two, which neither overflows nor vanishes.
// Shapes: arena f32; partials (matrices, PARTS, 2) f32
// Grid: x = SHARE, y = matrix. SHARE invocations, side by side, share a part: 1 on software adapters, up to 64 on GPUs; they take
//   elements in turn and add up in a fixed order. Precision: f32
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> arena: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec2f>;
const PARTS = 64u;
override SHARE: u32 = 1u;
var<workgroup> sums: array<vec2f, 64>;

// A sum in units of `was` in those of `top`.
fn sum_in(was: f32, sum: f32, top: f32) -> f32 {
  let ratio = select(0.0, power_of(was) / power_of(top), was > 0.0);
  return ratio * ratio * sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let count = m.rows * m.cols;
  var top = 0.0;
  var sum = 0.0;
  for (var i = wid.x * 64u + lid.x; i < count; i += 4u * PARTS * SHARE) {
    let at = vec4u(i) + vec4u(0u, 1u, 2u, 3u) * (PARTS * SHARE);
    let place = vec4u(m.w) + min(at, vec4u(count - 1u));
    let x = select(vec4f(), vec4f(arena[place.x], arena[place.y], arena[place.z], arena[place.w]), at < vec4u(count));
    let most = max(abs(x.xy), abs(x.zw));
    let before = top;
    top = max(top, max(most.x, most.y));
    let scaled = x / power_of(top);
    sum = sum_in(before, sum, top) + dot(scaled, scaled);
  }
  if (SHARE > 1u) {
    sums[lid.x] = vec2f(top, sum);
    for (var half = SHARE / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lid.x % SHARE < half) {
        let other = sums[lid.x + half];
        let before = top;
        top = max(top, other.x);
        sum = sum_in(before, sum, top) + sum_in(other.x, other.y, top);
        sums[lid.x] = vec2f(top, sum);
      }
    }
  }
  if (lid.x % SHARE == 0u) { partials[wid.y * PARTS + (wid.x * 64u + lid.x) / SHARE] = vec2f(top, sum); }
}
