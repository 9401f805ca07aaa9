// q3r/spread: X M = X + B Rf^T, with B = X Rf S from q3r/project
//   (X M)_ij = X_ij + sum_c B_ic Rf_jc,  c < r
// Shapes: b: r columns of ceil(rows / 4) vec4s; factors: columns; x (rows, cols); xm: rows of ceil(cols / 4) vec4s
// Grid: thread per 8 x 8 of X M, x folded, y = matrix. Precision: f32, rtol 1e-6 of |X|
// Source: golden/README, M = V D V^T + (I - V V^T)
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> factors: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read_write> xm: array<vec4f>;
override WG: u32 = 64u;

// Four entries of a row that starts at `at`; past the last column they are zero.
fn load_row(at: u32, j: u32, cols: u32) -> vec4f {
  var v = vec4f(x[at + j], 0.0, 0.0, 0.0);
  if (j + 1u < cols) { v.y = x[at + j + 1u]; }
  if (j + 2u < cols) { v.z = x[at + j + 2u]; }
  if (j + 3u < cols) { v.w = x[at + j + 3u]; }
  return v;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let r = state[wid.y].envelope;
  let height = (m.rows + 3u) / 4u;
  let width = (m.cols + 3u) / 4u;
  let col_tiles = (width + 1u) / 2u;
  let t = wid.x * WG + lid.x;
  let c0 = 2u * (t % col_tiles);
  let r0 = 2u * (t / col_tiles);
  if (r0 >= height) { return; }
  let c1 = min(c0 + 1u, width - 1u);
  let r1 = min(r0 + 1u, height - 1u);
  let right = select(m.v_at, m.u_at, m.transposed == 1u);
  //#for i 8
  var a${i} = vec4f();
  var b${i} = vec4f();
  //#end
  for (var c = 0u; c < r; c++) {
    let left0 = b[m.y + c * height + r0];
    let left1 = b[m.y + c * height + r1];
    let right0 = factors[right + c * width + c0];
    let right1 = factors[right + c * width + c1];
    let rows = array<f32, 8>(left0.x, left0.y, left0.z, left0.w, left1.x, left1.y, left1.z, left1.w);
    //#for i 8
    a${i} = fma(vec4f(rows[${i}]), right0, a${i});
    b${i} = fma(vec4f(rows[${i}]), right1, b${i});
    //#end
  }
  // A loop: unrolled, it takes a software adapter three times as long to compile.
  let tile_a = array<vec4f, 8>(a0, a1, a2, a3, a4, a5, a6, a7);
  let tile_b = array<vec4f, 8>(b0, b1, b2, b3, b4, b5, b6, b7);
  for (var i = 0u; i < 8u; i++) {
    let row = 4u * r0 + i;
    if (row >= m.rows) { break; }
    let at = m.w + row * m.cols;
    xm[m.y + row * width + c0] = tile_a[i] + load_row(at, 4u * c0, m.cols);
    if (c0 + 1u < width) { xm[m.y + row * width + c1] = tile_b[i] + load_row(at, 4u * c1, m.cols); }
  }
}
