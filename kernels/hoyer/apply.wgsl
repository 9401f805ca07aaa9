// hoyer/apply: out += lambda gain (f_uv U V^T - f_w W) for every matrix, the factors from hoyer/figures
//   W = Lf diag(sigma) Rf^T: Lf is U and Rf is V, the other way round when the matrix was decomposed transposed.
//   U, V and the factors are those of the last refresh; W is the weight as it is.
// Shapes: factors: columns of ceil(rows / 4) and ceil(cols / 4) vec4s; w, out (rows, cols) in arenas of one layout
// Grid: thread per 8 x 8 of out, x folded, y = matrix. Precision: f32, 1e-6 of the larger of the two terms
// Source: golden/README, Hoyer; the gradient of the nuclear norm is U V^T
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> step: StepState;
@group(0) @binding(2) var<storage, read> figures: array<vec4f>;
@group(0) @binding(3) var<storage, read> factors: array<vec4f>;
@group(0) @binding(4) var<storage, read> w: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let f = figures[wid.y];
  let height = (m.rows + 3u) / 4u;
  let width = (m.cols + 3u) / 4u;
  let col_tiles = (width + 1u) / 2u;
  let t = wid.x * WG + lid.x;
  let c0 = 2u * (t % col_tiles);
  let r0 = 2u * (t / col_tiles);
  if (r0 >= height) { return; }
  let c1 = min(c0 + 1u, width - 1u);
  let r1 = min(r0 + 1u, height - 1u);
  let left = select(m.u_at, m.v_at, m.transposed == 1u);
  let right = select(m.v_at, m.u_at, m.transposed == 1u);
  //#for i 8
  var a${i} = vec4f();
  var b${i} = vec4f();
  //#end
  let columns = u32(f.w);
  for (var c = 0u; c < columns; c++) {
    let left0 = factors[left + c * height + r0];
    let left1 = factors[left + c * height + r1];
    let right0 = factors[right + c * width + c0];
    let right1 = factors[right + c * width + c1];
    let rows = array<f32, 8>(left0.x, left0.y, left0.z, left0.w, left1.x, left1.y, left1.z, left1.w);
    //#for i 8
    a${i} = fma(vec4f(rows[${i}]), right0, a${i});
    b${i} = fma(vec4f(rows[${i}]), right1, b${i});
    //#end
  }
  let pull = step.lambda * m.gain;
  let last = m.cols - 4u * c0;
  //#for i 8
  {
    let row = 4u * r0 + ${i}u;
    if (row < m.rows) {
      let at = m.w + row * m.cols + 4u * c0;
      //#for q 4
      if (${q}u < last) { out[at + ${q}u] += pull * (f.y * a${i}[${q}] - f.z * w[at + ${q}u]); }
      if (4u + ${q}u < last) { out[at + 4u + ${q}u] += pull * (f.y * b${i}[${q}] - f.z * w[at + 4u + ${q}u]); }
      //#end
    }
  }
  //#end
}
