// svd/sweepsLanes: svd/sweeps by svd/meetLanes, for software adapters: a subgroup of four has a matrix to itself.
//   A lane reads of y and v only what it wrote itself: nobody waits for anybody.
// Shapes: as svd/sweeps, y and v in f32. Grid: workgroup per matrix (x). Precision: as svd/meet
struct Params { kind: u32, sweeps: u32, idle: f32, tolerance: f32, check: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> gram: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> state: array<State>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> v: array<f32>;

fn entry(m: Matrix, row: u32, column: u32) -> f32 {
  return gram[m.v + column * m.kv + row / 4u][row % 4u];
}

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let m = table[wid.x];
  let ell = select(0u, state[wid.x].ell, state[wid.x].live == 1u && state[wid.x].converged == 0u);
  let blocks = (ell + 3u) / 4u;
  let n = blocks + (blocks & 1u);
  var done = ell == 0u;
  var worst = 0.0;
  if (p.check > 0.0 && ell > 0u) {
    for (var t = lane; t < ell * ell; t += 4u) {
      let c = t / ell;
      let r = t % ell;
      if (r < c) { worst = max(worst, cosine(max(entry(m, r, r), 0.0), max(entry(m, c, c), 0.0), entry(m, r, c))); }
    }
    worst = largest(worst);
    done = worst <= p.check;
  }
  var sweep = 0u;
  while (!done && sweep < p.sweeps) {
    worst = 0.0;
    for (var round = 0u; round < n + 1u; round++) {
      for (var q = 0u; q < n / 2u; q++) { worst = max(worst, meet(m, ell, round, q, lane, p.kind, p.idle)); }
    }
    done = worst < p.tolerance;
    sweep++;
  }
  if (lane == 0u && ell > 0u && p.kind == LONG) {
    state[wid.x].sweeps += sweep;
    state[wid.x].off = worst;
    state[wid.x].converged = select(0u, 1u, done);
  }
}
