// svd/jacobiLanes: svd/jacobi by svd/meetLanes, for software adapters: a subgroup of four takes meetings in turn.
// Shapes: as svd/jacobi, in f32. Grid: workgroups x take eights in turn, y = matrix. Precision: as svd/meet
struct Params { round: u32, kind: u32, idle: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> v: array<f32>;
@group(0) @binding(5) var<storage, read_write> off: array<atomic<u32>>;

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let ell = state[wid.y].ell;
  let blocks = (ell + 3u) / 4u;
  let n = blocks + (blocks & 1u);
  let work = state[wid.y].live == 1u && state[wid.y].converged == 0u && p.round < n + 1u;
  // A loop: a software adapter would read the table for nothing.
  for (var once = select(0u, 1u, work); once > 0u; once--) {
    let m = table[wid.y];
    for (var q = wid.x; q < n / 2u; q += groups.x) {
      let worst = meet(m, ell, p.round, q, lane, p.kind, p.idle);
      if (lane == 0u && worst > 0.0) { atomicMax(&off[wid.y], bitcast<u32>(worst)); }
    }
  }
}
