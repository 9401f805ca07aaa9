// svd/place: U and V in order of their singular values: u_c = y_o / |y_o|, v_c = v_o with o = origin(c)
//   u is 0 where the column is 0: no direction is invented for a singular value that is not there.
//   Of an exact decomposition that is more than the factor buffer holds, the leading columns are kept.
// Shapes: y, v as in svd/jacobi; factors: U (min(ell, kept) columns of pv vec4s) and V (of kv vec4s)
// Grid: thread per EACH vec4s of a long column, x folded over (c, run), y = matrix. Precision: f32
// Source: ours
struct Params { left: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read> columns: array<f32>;
@group(0) @binding(4) var<storage, read> origin: array<u32>;
@group(0) @binding(5) var<storage, read> y: array<vec4f>;
@group(0) @binding(6) var<storage, read> v: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> factors: array<vec4f>;
override WG: u32 = 64u;
override EACH: u32 = 1u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let runs = (m.pv + EACH - 1u) / EACH;
  let t = wid.x * WG + lid.x;
  let c = t / runs;
  let begin = EACH * (t % runs);
  if (state[wid.y].live == 0u || c >= min(state[wid.y].ell, m.kept)) { return; }
  let o = origin[m.s + c];
  let norm = columns[m.s + o];
  let end = min(begin + EACH, m.pv);
  for (var e = select(end, begin, p.left == 1u); e < end; e++) {
    factors[m.u_at + c * m.pv + e] = select(vec4f(), y[m.y + o * m.pv + e] / max(norm, 1e-30), norm > 1e-30);
  }
  for (var e = begin; e < min(end, m.kv); e++) { factors[m.v_at + c * m.kv + e] = v[m.v + o * m.kv + e]; }
}
