// svd/residual: e_c^2 = |A^T u_c - sigma_c v_c|^2 for every kept triplet; 0 for exact ones
// Shapes: z = A^T U: short columns; factors, sigma as in svd/place; columns: e_c^2, one f32 each
// Grid: thread per column, x over columns, y = matrix. Precision: f32, floor about 1e-7 sigma_1
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> z: array<vec4f>;
@group(0) @binding(3) var<storage, read> factors: array<vec4f>;
@group(0) @binding(4) var<storage, read> sigma: array<f32>;
@group(0) @binding(5) var<storage, read_write> columns: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let s = state[wid.y];
  let c = wid.x * WG + lid.x;
  if (s.live == 0u || c >= s.ell) { return; }
  let value = sigma[m.s + c] / s.scale;
  var sum = vec4f();
  for (var e = 0u; e < m.kv; e++) {
    let d = z[m.v + c * m.kv + e] - value * factors[m.v_at + c * m.kv + e];
    sum = fma(d, d, sum);
  }
  columns[m.s + c] = dot(sum, vec4f(1.0));
}
