// svd/cold: V = I and Y = A where the preconditioned start came out bad (svd/verify).
//   Jacobi is exact only up to what V lacks of orthonormality; with V = I it needs twice the sweeps but lacks nothing.
// Shapes: a, y: k columns of pv vec4s; v: k columns of kv vec4s; off: the deviation of V, as bits
// Grid: thread per vec4 of y, x folded over (e, c), y = matrix; v is never the larger. Precision: exact
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> off: array<u32>;
@group(0) @binding(3) var<storage, read> a: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> v: array<vec4f>;
override WG: u32 = 64u;
const LIMIT = 2e-5f;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let t = wid.x * WG + lid.x;
  if (state[wid.y].live == 0u || t >= m.pv * m.k) { return; }
  // Bits of |x| order like |x|, with NaN above everything.
  if (off[wid.y] <= bitcast<u32>(LIMIT)) { return; }
  y[m.y + t] = a[m.y + t];
  if (t < m.kv * m.k) {
    let e = t % m.kv;
    v[m.v + t] = select(vec4f(), vec4f(1.0), vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) == vec4u(t / m.kv));
  }
}
