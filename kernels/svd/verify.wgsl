// svd/verify: how far columns are from orthonormal: max |G_ic - delta_ic| of their Gram matrix, as bits
// Shapes: gram: short range, ell x ell used; off: one per matrix, 0 before
// Grid: thread per column, x over columns, y = matrix. Precision: f32
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> gram: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> off: array<atomic<u32>>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let s = state[wid.y];
  let c = wid.x * WG + lid.x;
  if (s.live == 0u || c >= s.ell) { return; }
  var worst = vec4u();
  for (var e = 0u; e < m.kv; e++) {
    let inside = vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) < vec4u(s.ell);
    let unit = select(vec4f(), vec4f(1.0), vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) == vec4u(c));
    // Bits of |x| order like |x|, and put NaN above everything where max() may drop it.
    worst = max(worst, select(vec4u(), bitcast<vec4u>(abs(gram[m.v + c * m.kv + e] - unit)), inside));
  }
  let bits = max(max(worst.x, worst.y), max(worst.z, worst.w));
  atomicMax(&off[wid.y], bits);
}
