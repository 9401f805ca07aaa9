// svd/cholesky: T with (Y T)^T (Y T) = I, from the Gram matrix G = Y^T Y of column-scaled Y
//   D = diag(G)^-1/2,  D G D = L diag(d) L^T,  T = D L^-T diag(d)^-1/2, upper triangular
//   Elimination in place: at step j row i > j loses f = G_ji / d_j times row j; its entry j becomes -f, part of L^-1.
//   A pivot under FLOOR is raised to it: the column comes out short but keeps its direction, and the next pass, which
//   scales columns again, makes it whole (what the shift of shifted Cholesky QR does). A zero column gives T_jj = 0.
// Shapes: gram, inverse: short ranges, ell x ell used
// Grid: workgroup per matrix (x). Precision: f32; two passes give orthonormality to 1e-6, four where columns depend
// Source: Fukaya et al. 2020, shifted Cholesky QR; the in-place form is ours
struct Params { iterate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read_write> gram: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> inverse: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> columns: array<f32>;
override WG: u32 = 64u;
// Well above the rounding of G: a lower floor lets noise pivots multiply noise until it overflows.
const FLOOR = 1e-4;

fn entry(m: Matrix, row: u32, col: u32) -> f32 {
  return gram[m.v + row * m.kv + col / 4u][col % 4u];
}
fn scale_of(m: Matrix, row: u32) -> f32 {
  return columns[m.s + row];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.x];
  let s = state[wid.x];
  let work = s.live == 1u && !(p.iterate == 1u && s.full == 1u);
  let n = select(0u, s.ell, work);
  let blocks = (n + 3u) / 4u;
  for (var i = lid.x; i < n; i += WG) {
    let g = entry(m, i, i);
    columns[m.s + i] = select(0.0, inverseSqrt(g), g > 1e-30);
  }
  storageBarrier();
  for (var t = lid.x; t < n * blocks; t += WG) {
    let i = t / blocks;
    let e = t % blocks;
    var d = vec4f();
    for (var q = 0u; q < 4u; q++) { if (4u * e + q < n) { d[q] = scale_of(m, 4u * e + q); } }
    let x = gram[m.v + i * m.kv + e] * d * scale_of(m, i);
    // The diagonal is 1 by construction; a zero column gets it too, and its row and column are zero.
    gram[m.v + i * m.kv + e] = select(x, vec4f(1.0), vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) == vec4u(i));
  }
  storageBarrier();
  for (var j = 0u; j < n; j++) {
    let d = 1.0 / max(entry(m, j, j), FLOOR);
    let rest = (n - 1u - j) * blocks;
    for (var t = lid.x; t < rest; t += WG) {
      let i = j + 1u + t / blocks;
      let e = t % blocks;
      let f = entry(m, j, i) * d;
      let here = vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) == vec4u(j);
      let at = m.v + i * m.kv + e;
      gram[at] = select(gram[at], vec4f(), here) - f * select(gram[m.v + j * m.kv + e], vec4f(1.0), here);
    }
    storageBarrier();
  }
  for (var t = lid.x; t < n * blocks; t += WG) {
    let c = t / blocks;
    let e = t % blocks;
    let d = inverseSqrt(max(entry(m, c, c), FLOOR));
    let l = gram[m.v + c * m.kv + e];
    var x = vec4f();
    for (var q = 0u; q < 4u; q++) {
      let i = 4u * e + q;
      if (i <= c) { x[q] = select(l[q], 1.0, i == c) * d * scale_of(m, i); }
    }
    inverse[m.v + c * m.kv + e] = x;
  }
}
