// svd/start: the right subspace that a refresh begins with, in the factor buffer.
//   sketch: columns not known from the last refresh are normal deviates (Omega of the range finder)
//   exact:  the known k columns, or the identity
// Shapes: factors: V, k columns of kv vec4s per matrix
// Grid: thread per vec4, x folded over (e, c), y = matrix. Precision: f32
// Source: Halko, Martinsson, Tropp 2011, Alg. 4.1
struct Params { mode: u32 }
const SKETCH = 0u;
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read_write> factors: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let s = state[wid.y];
  let t = wid.x * WG + lid.x;
  let c = t / m.kv;
  let e = t % m.kv;
  if (s.live == 0u || c >= s.ell) { return; }
  if (p.mode != SKETCH && s.known < m.k) {
    factors[m.v_at + t] = select(vec4f(), vec4f(1.0), vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) == vec4u(c));
  }
  // A loop: a software adapter works out all deviates, wanted or not, but leaves a loop that nobody is in.
  for (var once = select(0u, 1u, p.mode == SKETCH && c >= s.known); once > 0u; once--) {
    factors[m.v_at + t] = normal_column(m.seed ^ hash_u32(s.refreshes), c, e, m.k);
  }
}
