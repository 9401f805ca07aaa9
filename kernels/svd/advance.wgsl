// svd/advance: ends a Jacobi sweep: a matrix whose largest |cos| stayed under the tolerance is done.
//   With `again` nothing was swept: every live matrix starts anew on other columns, from `nothing` that was known before or from a sketch.
//   That |cos| was met before its rotation, and convergence is quadratic: what the sweep leaves is far smaller.
//   With `checked` nothing was swept, either: the |cos| are those that the last sweep left.
// Grid: thread per matrix. Precision: exact
// Source: ours
struct Params { count: u32, tolerance: f32, again: u32, nothing: u32, checked: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> state: array<State>;
@group(0) @binding(2) var<storage, read_write> off: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x;
  if (i >= p.count || state[i].live == 0u) { return; }
  if (p.again == 1u) {
    atomicStore(&off[i], 0u);
    state[i].sweeps = 0u;
    state[i].converged = 0u;
    state[i].flag |= select(0u, 8u, p.nothing == 1u);
    return;
  }
  if (state[i].converged == 1u) { return; }
  let worst = bitcast<f32>(atomicLoad(&off[i]));
  atomicStore(&off[i], 0u);
  state[i].off = worst;
  state[i].sweeps += 1u - p.checked;
  if (worst < p.tolerance) { state[i].converged = 1u; }
}
