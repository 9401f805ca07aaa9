// svd/sweeps: all rounds of all sweeps of block Jacobi (svd/meet) in one dispatch: a workgroup has a matrix to itself.
//   A dispatch a round costs a GPU more than the round. Sweeps end with the first that met no |cos| from `tolerance` on.
//   With `check` above 0, a matrix whose Gram matrix Y^T Y has no |cos| above it is left as it is.
//   On long columns the outcome is told to the state, which counts sweeps from `begin` or `advance` on; on short ones (a triangle) nobody asks.
// Shapes: y, v as in svd/meet; gram: ell x ell of the short range, read with `check` only
// Grid: workgroup per matrix (x). Precision: as svd/meet
struct Params { kind: u32, sweeps: u32, idle: f32, tolerance: f32, check: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> gram: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> state: array<State>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> v: array<vec4f>;
var<workgroup> most: atomic<u32>;
var<workgroup> seen: vec2u;

// The largest |cos| that anyone of the workgroup met since the last call.
fn agree(mine: f32, index: u32) -> f32 {
  atomicMax(&most, bitcast<u32>(mine));
  workgroupBarrier();
  if (index == 0u) { seen.x = atomicExchange(&most, 0u); }
  return bitcast<f32>(workgroupUniformLoad(&seen).x);
}

fn entry(m: Matrix, row: u32, column: u32) -> f32 {
  return gram[m.v + column * m.kv + row / 4u][row % 4u];
}

@compute @workgroup_size(LANES, PAIRS)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let index = lid.y * LANES + lid.x;
  if (index == 0u) {
    let s = state[wid.x];
    seen = vec2u(select(0u, s.ell, s.live == 1u && s.converged == 0u), 0u);
  }
  let ell = workgroupUniformLoad(&seen).x;
  let m = table[wid.x];
  let blocks = (ell + 3u) / 4u;
  let n = blocks + (blocks & 1u);
  var done = ell == 0u;
  var worst = 0.0;
  if (p.check > 0.0 && ell > 0u) {
    for (var t = index; t < ell * ell; t += LANES * PAIRS) {
      let c = t / ell;
      let r = t % ell;
      if (r < c) { worst = max(worst, cosine(max(entry(m, r, r), 0.0), max(entry(m, c, c), 0.0), entry(m, r, c))); }
    }
    worst = agree(worst, index);
    done = worst <= p.check;
  }
  var sweep = 0u;
  while (!done && sweep < p.sweeps) {
    worst = 0.0;
    for (var round = 0u; round + 1u < n; round++) {
      for (var first = 0u; first < n / 2u; first += PAIRS) {
        worst = max(worst, meet(m, ell, round, first + lid.y, lid, p.kind, p.idle));
        workgroupBarrier();
      }
      storageBarrier();
    }
    worst = agree(worst, index);
    done = worst < p.tolerance;
    sweep++;
  }
  if (index == 0u && ell > 0u && p.kind == LONG) {
    state[wid.x].sweeps += sweep;
    state[wid.x].off = worst;
    state[wid.x].converged = select(0u, 1u, done);
  }
}
