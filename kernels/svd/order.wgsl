// svd/order: descending singular values by counting, and where each came from
//   place(c) = #{d: sigma_d > sigma_c, or equal and d < c}
//   How many right vectors are known from here on: all of an exact decomposition, of a sketch those whose singular value is not 0.
// Shapes: columns, sigma f32, origin u32: one per column; sigma past ell is 0
// Grid: thread per column, x over columns, y = matrix. Precision: exact
// Source: ours
struct Params { exact: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read_write> state: array<State>;
@group(0) @binding(3) var<storage, read> columns: array<f32>;
@group(0) @binding(4) var<storage, read_write> sigma: array<f32>;
@group(0) @binding(5) var<storage, read_write> origin: array<u32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let c = wid.x * WG + lid.x;
  if (state[wid.y].live == 0u || c >= m.k) { return; }
  let ell = state[wid.y].ell;
  if (c >= ell) {
    sigma[m.s + c] = 0.0;
    return;
  }
  let mine = columns[m.s + c];
  var place = 0u;
  for (var d = 0u; d < ell; d++) {
    let other = columns[m.s + d];
    if (other > mine || (other == mine && d < c)) { place++; }
  }
  // A NaN compares false with everything: several columns may claim one place, but none lies outside the range.
  sigma[m.s + place] = mine * state[wid.y].scale;
  origin[m.s + place] = c;
  if (c == 0u) {
    var known = select(0u, ell, p.exact == 1u);
    for (var d = known; d < ell; d++) { known += select(0u, 1u, columns[m.s + d] > 0.0); }
    state[wid.y].known = min(known, m.kept);
  }
}
