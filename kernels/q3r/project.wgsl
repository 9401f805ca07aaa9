// q3r/project: B = X Rf S, the rows of X along the right factor, weighted
//   B_ic = s_c sum_j X_ij Rf_jc,  s_c = epsilon / sigma_c - 1,  c < r (the envelope rank)
//   W = Lf diag(sigma) Rf^T: Rf is V, or U when the matrix was decomposed transposed
// Shapes: x (rows, cols) in an arena; factors: columns; b: r columns of ceil(rows / 4) vec4s per matrix
// Grid: thread per 4 rows x 4 columns of B, x folded, y = matrix. Precision: f32, rtol 1e-6 of |X_i|
// Source: arXiv 2511.04485, Eq. 7; golden/README
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read> factors: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read_write> b: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let r = state[wid.y].envelope;
  let height = (m.rows + 3u) / 4u;
  let width = (m.cols + 3u) / 4u;
  let t = wid.x * WG + lid.x;
  let e = t % height;
  let col = 4u * (t / height);
  if (col >= r) { return; }
  let right = select(m.v_at, m.u_at, m.transposed == 1u);
  //#for i 4
  let row${i} = m.w + min(4u * e + ${i}u, m.rows - 1u) * m.cols;
  let f${i} = right + min(col + ${i}u, r - 1u) * width;
  var acc${i} = vec4f();
  //#end
  let whole = m.cols / 4u;
  for (var q = 0u; q < whole; q++) {
    //#for i 4
    let at${i} = row${i} + 4u * q;
    let x${i} = vec4f(x[at${i}], x[at${i} + 1u], x[at${i} + 2u], x[at${i} + 3u]);
    //#end
    //#for c 4
    let y${c} = factors[f${c} + q];
    acc${c} += vec4f(dot(x0, y${c}), dot(x1, y${c}), dot(x2, y${c}), dot(x3, y${c}));
    //#end
  }
  for (var j = 4u * whole; j < m.cols; j++) {
    let xs = vec4f(x[row0 + j], x[row1 + j], x[row2 + j], x[row3 + j]);
    //#for c 4
    acc${c} = fma(xs, vec4f(factors[f${c} + j / 4u][j % 4u]), acc${c});
    //#end
  }
  let inside = vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) < vec4u(m.rows);
  let epsilon = state[wid.y].epsilon;
  //#for c 4
  if (col + ${c}u < r) {
    let s = epsilon / sigma[m.s + col + ${c}u] - 1.0;
    b[m.y + (col + ${c}u) * height + e] = select(vec4f(), s * acc${c}, inside);
  }
  //#end
}
