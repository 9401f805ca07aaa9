// svd/start: the right subspace that a refresh begins with, in the factor buffer.
//   sketch: columns not known from the last refresh are normal deviates (Omega of the range finder)
//   exact:  the known k columns, or the identity
// Shapes: factors: V, k columns of kv vec4s per matrix
// Grid: thread per EACH vec4s of a column, x folded over (c, run), y = matrix. Precision: f32
// Source: Halko, Martinsson, Tropp 2011, Alg. 4.1
struct Params { mode: u32 }
const SKETCH = 0u;
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read_write> factors: array<vec4f>;
override WG: u32 = 64u;
override EACH: u32 = 1u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let kv = table[wid.y].kv;
  let k = table[wid.y].k;
  let known = state[wid.y].known;
  let runs = (kv + EACH - 1u) / EACH;
  let t = wid.x * WG + lid.x;
  let c = t / runs;
  let begin = EACH * (t % runs);
  if (state[wid.y].live == 0u || c >= state[wid.y].ell) { return; }
  let column = table[wid.y].v_at + c * kv;
  let end = min(begin + EACH, kv);
  for (var e = select(end, begin, p.mode != SKETCH && known < k); e < end; e++) {
    factors[column + e] = select(vec4f(), vec4f(1.0), vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) == vec4u(c));
  }
  let seed = table[wid.y].seed ^ hash_u32(state[wid.y].refreshes);
  // A loop: a software adapter works out all deviates, wanted or not, but leaves a loop that nobody is in.
  for (var e = select(end, begin, p.mode == SKETCH && c >= known); e < end; e++) { factors[column + e] = normal_column(seed, c, e, k); }
}
