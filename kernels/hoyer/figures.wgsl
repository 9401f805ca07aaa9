// hoyer/figures: what the Hoyer measure needs of a spectrum, after each refresh.
//   n1 = sum sigma_i, n2 = sqrt(sum sigma_i^2), h = n1 / n2
//   Hoyer         value = h - 1,    gradient = U V^T / n2 - n1 / n2^3 W
//   Hoyer square  value = h^2 - 1,  gradient = 2 h times that
//   figures = (value, factor of U V^T, factor of W, number of columns of U V^T)
//   Only sigma > 1e-6 sigma_1 count as directions: below it U is rounding noise of the SVD, and leaving them out is the subgradient
//   of least norm. A zero matrix has value 0 and gradient 0.
// Shapes: sigma: k per matrix, descending; figures: one vec4f per matrix
// Grid: thread per matrix. Precision: f32, rtol 1e-6; sigma is divided by sigma_1, so that no square overflows or vanishes
// Source: Hoyer 2004, in the normalisation of golden/README
struct Params { count: u32, square: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read_write> figures: array<vec4f>;
const NOISE = 1e-6;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x;
  if (i >= p.count) { return; }
  let m = table[i];
  let top = sigma[m.s];
  if (!(top > 0.0)) {
    figures[i] = vec4f();
    return;
  }
  var n1 = 0.0;
  var n2 = 0.0;
  var columns = 0u;
  for (var c = 0u; c < m.k; c++) {
    let x = sigma[m.s + c] / top;
    n1 += x;
    n2 = fma(x, x, n2);
    if (x > NOISE) { columns++; }
  }
  n2 = sqrt(n2);
  let h = n1 / n2;
  let outer = select(1.0, 2.0 * h, p.square == 1u);
  let value = select(h - 1.0, (h - 1.0) * (h + 1.0), p.square == 1u);
  figures[i] = vec4f(value, outer / (n2 * top), outer * (h / (n2 * top)) / (n2 * top), f32(columns));
}
