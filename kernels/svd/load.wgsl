// svd/load: A = W / scale or W^T / scale as zero-padded columns.
// Shapes: arena f32; a: k columns of pv vec4s per matrix
// Grid: thread per vec4 of a column, x folded over (e, j), y = matrix. Precision: exact (a power of two)
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> arena: array<f32>;
@group(0) @binding(3) var<storage, read_write> a: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let t = wid.x * WG + lid.x;
  if (t >= m.pv * m.k) { return; }
  let j = t / m.pv;
  let i = 4u * (t % m.pv);
  // Along a column of A one steps by 1 in W^T and by a row of W otherwise.
  let step = select(m.cols, 1u, m.transposed == 1u);
  let at = m.w + select(i * m.cols + j, j * m.cols + i, m.transposed == 1u);
  var x = vec4f(arena[at], 0.0, 0.0, 0.0);
  if (i + 1u < m.p) { x.y = arena[at + step]; }
  if (i + 2u < m.p) { x.z = arena[at + 2u * step]; }
  if (i + 3u < m.p) { x.w = arena[at + 3u * step]; }
  a[m.y + t] = x / state[wid.y].scale;
}
