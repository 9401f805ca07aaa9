// q3r/projectTiled: q3r/project for graphics cards: B = X Rf S, tiles of 32 rows x 32 columns of B through workgroup memory.
//   B_ic = s_c sum_j X_ij Rf_jc; the sum advances by 32 j at a time, four of them per dot product, in this order
// Shapes: as q3r/project. Both panels keep four j side by side, lines one vec4 longer than that, so that eight columns meet all banks.
// Grid: workgroup of 64 per tile, tiles folded into x (column tiles outermost), y = matrix. Precision: f32, rtol 1e-6 of |X_i|
// Remainders by constants look idle: by them every index of workgroup memory is known to be in bounds, and none is clamped.
// Source: arXiv 2511.04485, Eq. 7; golden/README
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read> factors: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read_write> b: array<vec4f>;
const LINE = 9u;
var<workgroup> panel_x: array<vec4f, 32u * LINE>;
var<workgroup> panel_f: array<vec4f, 32u * LINE>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) t: u32) {
  let m = table[wid.y];
  let r = state[wid.y].envelope;
  let height = (m.rows + 3u) / 4u;
  let width = (m.cols + 3u) / 4u;
  let row_tiles = (m.rows + 31u) / 32u;
  let first_row = 32u * (wid.x % row_tiles);
  let first_col = 32u * (wid.x / row_tiles);
  if (first_col >= r) { return; }
  let right = select(m.v_at, m.u_at, m.transposed == 1u);
  let tx = t % 8u;
  let ty = (t / 8u) % 8u;
  //#for i 4
  var acc${i} = vec4f();
  //#end
  for (var j = 0u; j < m.cols; j += 32u) {
    workgroupBarrier();
    // A whole vec4 at a time: two invocations must not write into one.
    let begin = j + 4u * tx;
    let there = vec4u(begin, begin + 1u, begin + 2u, begin + 3u) < vec4u(m.cols);
    let at = min(vec4u(begin, begin + 1u, begin + 2u, begin + 3u), vec4u(m.cols - 1u));
    //#for l 4
    let line${l} = m.w + min(first_row + 8u * ${l}u + ty, m.rows - 1u) * m.cols;
    let x${l} = vec4f(x[line${l} + at.x], x[line${l} + at.y], x[line${l} + at.z], x[line${l} + at.w]);
    //#end
    let q = j / 4u + tx;
    //#for l 4
    let f${l} = factors[right + min(first_col + 8u * ${l}u + ty, r - 1u) * width + min(q, width - 1u)];
    //#end
    //#for l 4
    panel_x[(8u * ${l}u + ty) * LINE + tx] = select(vec4f(), x${l}, there);
    panel_f[(8u * ${l}u + ty) * LINE + tx] = f${l};
    //#end
    workgroupBarrier();
    for (var e = 0u; e < 8u; e++) {
      //#for i 4
      let a${i} = panel_x[(4u * ty + ${i}u) * LINE + e % 8u];
      //#end
      //#for c 4
      let y${c} = panel_f[(tx + 8u * ${c}u) * LINE + e % 8u];
      acc${c} += vec4f(dot(a0, y${c}), dot(a1, y${c}), dot(a2, y${c}), dot(a3, y${c}));
      //#end
    }
  }
  let row = first_row + 4u * ty;
  if (row >= m.rows) { return; }
  let inside = vec4u(row) + vec4u(0u, 1u, 2u, 3u) < vec4u(m.rows);
  let epsilon = state[wid.y].epsilon;
  //#for c 4
  let col${c} = first_col + tx + 8u * ${c}u;
  if (col${c} < r) {
    let s = epsilon / sigma[m.s + col${c}] - 1.0;
    b[m.y + col${c} * height + row / 4u] = select(vec4f(), s * acc${c}, inside);
  }
  //#end
}
