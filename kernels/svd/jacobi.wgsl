// svd/jacobi: one round of one-sided block Jacobi (svd/meet), a dispatch each: for devices whose workgroups are small
// Shapes: as in svd/meet; off: largest |cos| of the sweep, as bits
// Grid: workgroups x take eights in turn, y = matrix. Precision: as svd/meet
struct Params { round: u32, kind: u32, idle: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> off: array<atomic<u32>>;

@compute @workgroup_size(LANES, PAIRS)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let ell = state[wid.y].ell;
  let blocks = (ell + 3u) / 4u;
  let n = blocks + (blocks & 1u);
  let work = state[wid.y].live == 1u && state[wid.y].converged == 0u && p.round + 1u < n;
  // Work is the same for the whole workgroup, so the barriers of a meeting are reached by all or none.
  for (var first = wid.x * PAIRS; first < select(0u, n / 2u, work); first += groups.x * PAIRS) {
    let worst = meet(table[wid.y], ell, p.round, first + lid.y, lid, p.kind, p.idle);
    if (lid.x == 0u && worst > 0.0) { atomicMax(&off[wid.y], bitcast<u32>(worst)); }
  }
}
