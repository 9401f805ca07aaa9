// svd/norms: lengths of the columns of Y: singular values of A, not yet in order
// Shapes: y: ell columns of pv vec4s; columns: one f32 each
// Grid: thread per column, x over columns, y = matrix. Precision: f32, rtol 1e-6
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> columns: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let s = state[wid.y];
  let c = wid.x * WG + lid.x;
  if (s.live == 0u || c >= s.ell) { return; }
  var sum = vec4f();
  for (var e = 0u; e < m.pv; e++) {
    let x = y[m.y + c * m.pv + e];
    sum = fma(x, x, sum);
  }
  columns[m.s + c] = sqrt(dot(sum, vec4f(1.0)));
}
