// svd/parallel: how far columns are from orthogonal: max |cos| of two, from their Gram matrix, as bits
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
  if (s.live == 0u || s.converged == 1u || c >= s.ell) { return; }
  let own = max(gram[m.v + c * m.kv + c / 4u][c % 4u], 0.0);
  var worst = 0u;
  for (var r = 0u; r < c; r++) {
    let other = max(gram[m.v + r * m.kv + r / 4u][r % 4u], 0.0);
    // Bits of |x| order like |x|, and put NaN above everything where max() may drop it.
    worst = max(worst, bitcast<u32>(cosine(own, other, gram[m.v + c * m.kv + r / 4u][r % 4u])));
  }
  atomicMax(&off[wid.y], worst);
}
