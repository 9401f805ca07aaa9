// q3r/update: epsilon, envelope rank and the judgement of the decomposition, after a refresh
//   default      epsilon <- min(epsilon, sigma_{r+1})
//   exploration  epsilon <- sigma_{r+1}
//   linear       epsilon_n = max(c^n epsilon_0, 1e-5),  epsilon_0 = sigma_{r+1} at the first refresh, c = (1e-5 / epsilon_0)^(1/N)
//   constant     epsilon = N
//   r >= k: not regularized, epsilon = 1e8, R is the identity.
//   eta = |E C|_F / |R(A)|_F,  E = A^T U - V S: the first-order error of R from an unconverged subspace. An error E couples a
//   kept sigma > epsilon to some tau outside the sketch, taken as tau = e epsilon = min(sigma_ell, epsilon). With D = epsilon / sigma
//   the derivative of f(sigma) U V^T, f = min(sigma, epsilon^2 / sigma), is (epsilon^2 - tau^2) / (sigma^2 - tau^2) on one side,
//   where our R has D, and -tau (sigma^2 - epsilon^2) / (sigma (sigma^2 - tau^2)) on the other, where it has 0:
//   C^2 = (D - D^2 (1 - e^2) / (1 - D^2 e^2))^2 + (e D (1 - D^2) / (1 - D^2 e^2))^2
// Where fewer columns are kept than exceed epsilon, the envelope ends there: what is cut off is next to epsilon, and is flagged.
// A decomposition is flagged when sigma_ell > epsilon although ell < k (the envelope is clipped), when eta passes its limit,
// or when Jacobi ran out of sweeps. With `guard`, flagged matrices stay open (live) for the exact pass that follows and
// the others are closed; without it everything is committed, flag and all.
// Grid: thread per matrix. Precision: f32; epsilon of the linear schedule rtol 1e-5
// Source: arXiv 2511.04485, Alg. 2; the clipping rule and eta are ours
struct Params { count: u32, schedule: u32, n: f32, guard_flagged: u32, exact: u32, limit: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read> columns: array<f32>;
@group(0) @binding(4) var<storage, read_write> state: array<State>;
const OFF = 1e8;
const LEAST = 1e-5;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x;
  if (i >= p.count) { return; }
  var s = state[i];
  if (s.live == 0u) { return; }
  let m = table[i];
  var epsilon = OFF;
  if (m.rank < m.k) {
    let next = sigma[m.s + m.rank];
    switch p.schedule {
      case 0u: { epsilon = min(s.epsilon, next); }
      case 1u: { epsilon = next; }
      case 2u: {
        if (s.refreshes == 0u) { s.epsilon0 = max(next, LEAST); }
        // In logarithms c^n epsilon_0 is an interpolation; the power itself would magnify the rounding of c.
        let share = min(f32(s.refreshes) / p.n, 1.0);
        epsilon = max(select(exp(mix(log(s.epsilon0), log(LEAST), share)), s.epsilon0, s.refreshes == 0u), LEAST);
      }
      default: { epsilon = p.n; }
    }
  }
  var envelope = 0u;
  var head = 0.0;    // energy of the envelope, of what R leaves of it, and of the rest of the sketch
  var damped = 0.0;
  var rest = 0.0;
  var error = 0.0;
  var weighted = 0.0;
  let tau = min(sigma[m.s + s.ell - 1u] / max(epsilon, 1e-30), 1.0);
  for (var c = 0u; c < s.ell; c++) {
    let x = sigma[m.s + c];
    let a = x / s.scale;
    let e2 = select(columns[m.s + c], 0.0, p.exact == 1u);
    error += e2;
    if (x > epsilon) {
      envelope++;
      let d = epsilon / x;
      head += a * a;
      damped += (d * d * a) * (d * d * a);
      let below = max(1.0 - d * d * tau * tau, 1e-6);
      let c1 = d - d * d * (1.0 - tau * tau) / below;
      let c2 = tau * d * (1.0 - d * d) / below;
      weighted += e2 * (c1 * c1 + c2 * c2);
    } else {
      rest += a * a;
    }
  }
  let left = max(s.norm2 - head, rest) + damped;
  s.residual = select(0.0, sqrt(error / s.norm2), s.norm2 > 0.0);
  s.eta = select(0.0, sqrt(weighted / left), left > 0.0);
  let wanted = min(m.sketch, s.ell);
  s.edge = select(0.0, sigma[m.s + wanted - 1u] / max(epsilon, 1e-30), wanted < m.k && epsilon > 0.0);
  if (p.exact == 0u) {
    s.flag = 0u;
    if (s.ell < m.k && sigma[m.s + s.ell - 1u] > epsilon) { s.flag |= 1u; }
    if (s.eta > p.limit) { s.flag |= 2u; }
  }
  if (envelope > m.kept) {
    envelope = m.kept;
    s.flag |= 1u;
  }
  if (s.converged == 0u) { s.flag |= 4u; }
  if (p.guard_flagged == 1u && s.flag != 0u) {
    s.ell = m.k;
    s.converged = 0u;
    s.sweeps = 0u;
  } else {
    s.live = 0u;
    s.epsilon = epsilon;
    s.envelope = envelope;
    s.refreshes += 1u;
  }
  state[i] = s;
}
