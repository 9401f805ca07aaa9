// svd/begin: opens a refresh: scale and norm of every matrix, columns at work, flags cleared.
//   With `skip`, a matrix whose target rank is not below k stays closed: it is not regularized.
//   scale = 2^floor(log2 max |w|), so that squares and sums of squares of A neither overflow nor vanish
// Grid: thread per matrix. Precision: exact scale (exponent bits); norm f32
// Source: ours
struct Params { count: u32, exact: u32, skip: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> partials: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> state: array<State>;
@group(0) @binding(4) var<storage, read_write> off: array<atomic<u32>>;
const PARTS = 64u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x;
  if (i >= p.count) { return; }
  let m = table[i];
  var top = 0.0;
  var sum = 0.0;
  for (var t = 0u; t < PARTS; t++) { top = max(top, partials[i * PARTS + t].x); }
  let scale = power_of(top);
  for (var t = 0u; t < PARTS; t++) {
    let part = partials[i * PARTS + t];
    let ratio = select(0.0, power_of(part.x) / scale, part.x > 0.0);
    sum += ratio * ratio * part.y;
  }
  let ell = select(min(m.sketch, m.k), m.k, p.exact == 1u);
  let open = p.skip == 0u || m.rank < m.k;
  state[i].live = select(0u, 1u, open);
  state[i].converged = select(1u, 0u, open);
  state[i].ell = ell;
  // A state from a file may know more than is kept here.
  state[i].known = min(state[i].known, m.kept);
  state[i].full = select(0u, 1u, ell == m.k && state[i].known == m.k);
  state[i].sweeps = 0u;
  state[i].flag = 0u;
  state[i].scale = scale;
  state[i].norm2 = sum;
  state[i].off = 0.0;
  state[i].residual = 0.0;
  state[i].eta = 0.0;
  atomicStore(&off[i], 0u);
}
