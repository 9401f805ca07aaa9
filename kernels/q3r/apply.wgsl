// q3r/apply: out = 2 lambda gain R(X) or out += 2 lambda gain R(X),  R(X) = L X M = X M + Lf G
//   R_ij = (X M)_ij + sum_c Lf_ic G_cj,  c < r;  G = S Lf^T X M from q3r/gather
// With `skip`, a matrix whose target rank is not below its short side, or that was never decomposed, is not regularized:
// 0 instead of the identity.
// A thread leaves sum X_ij R_ij of its tile in the first vec4 of its tile of X M, which nobody needs any more:
// q3r/value adds these up in a fixed order.
// Shapes: factors: columns; g: r rows of ceil(cols / 4) vec4s; x, out (rows, cols) in arenas of one layout; xm as in q3r/spread
// Grid: thread per 8 x 8, x folded, y = matrix. Precision: f32, 1e-6 of max |X|
// Source: arXiv 2511.04485, Eq. 7 (the authors' code returns 2 R(W))
struct Params { add: u32, skip: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read> step: StepState;
@group(0) @binding(4) var<storage, read> factors: array<vec4f>;
@group(0) @binding(5) var<storage, read> g: array<vec4f>;
@group(0) @binding(6) var<storage, read> x: array<f32>;
@group(0) @binding(7) var<storage, read_write> xm: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> reg: array<f32>;
override WG: u32 = 64u;

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
  let left = select(m.u_at, m.v_at, m.transposed == 1u);
  //#for i 8
  var a${i} = vec4f();
  var b${i} = vec4f();
  //#end
  for (var c = 0u; c < r; c++) {
    let left0 = factors[left + c * height + r0];
    let left1 = factors[left + c * height + r1];
    let right0 = g[m.y + c * width + c0];
    let right1 = g[m.y + c * width + c1];
    let rows = array<f32, 8>(left0.x, left0.y, left0.z, left0.w, left1.x, left1.y, left1.z, left1.w);
    //#for i 8
    a${i} = fma(vec4f(rows[${i}]), right0, a${i});
    b${i} = fma(vec4f(rows[${i}]), right1, b${i});
    //#end
  }
  let weight = select(1.0, 0.0, p.skip == 1u && (m.rank >= m.k || state[wid.y].refreshes == 0u));
  let factor = 2.0 * step.lambda * m.gain * weight;
  let last = m.cols - 4u * c0;
  var sum = 0.0;
  // A loop: unrolled, the stores alone take a software adapter a quarter of a second to compile.
  let tile_a = array<vec4f, 8>(a0, a1, a2, a3, a4, a5, a6, a7);
  let tile_b = array<vec4f, 8>(b0, b1, b2, b3, b4, b5, b6, b7);
  for (var i = 0u; i < 8u; i++) {
    let row = 4u * r0 + i;
    if (row >= m.rows) { break; }
    let at = m.w + row * m.cols + 4u * c0;
    let ra = tile_a[i] + xm[m.y + row * width + c0];
    let rb = tile_b[i] + xm[m.y + row * width + c1];
    for (var q = 0u; q < min(4u, last); q++) {
      sum = fma(x[at + q], ra[q], sum);
      reg[at + q] = factor * ra[q] + select(0.0, reg[at + q], p.add == 1u);
      if (4u + q < last) {
        sum = fma(x[at + 4u + q], rb[q], sum);
        reg[at + 4u + q] = factor * rb[q] + select(0.0, reg[at + 4u + q], p.add == 1u);
      }
    }
  }
  xm[m.y + 4u * r0 * width + c0] = vec4f(weight * sum);
}
