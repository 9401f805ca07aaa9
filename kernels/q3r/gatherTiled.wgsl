// q3r/gatherTiled: q3r/gather for graphics cards: G = S Lf^T (X M), tiles of 32 rows x 32 columns of G through workgroup memory.
//   G_cj = s_c sum_i Lf_ic (X M)_ij; the sum advances by 32 i at a time, i ascending
// Shapes: as q3r/gather. Panels as the buffers lie: four i of a column of Lf side by side, four j of a row of X M.
// Grid: workgroup of 64 per tile, tiles folded into x (row tiles outermost), y = matrix. Precision: f32, rtol 1e-6 of |X M|
// Remainders by constants look idle: by them every index of workgroup memory is known to be in bounds, and none is clamped.
// Source: golden/README, L = U D U^T + (I - U U^T)
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read> factors: array<vec4f>;
@group(0) @binding(4) var<storage, read> xm: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> g: array<vec4f>;
var<workgroup> panel_f: array<vec4f, 256>;
var<workgroup> panel_x: array<vec4f, 256>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) t: u32) {
  let m = table[wid.y];
  let r = state[wid.y].envelope;
  let height = (m.rows + 3u) / 4u;
  let width = (m.cols + 3u) / 4u;
  let col_tiles = (width + 7u) / 8u;
  let first = 8u * (wid.x % col_tiles);
  let first_row = 32u * (wid.x / col_tiles);
  if (first_row >= r) { return; }
  let left = select(m.u_at, m.v_at, m.transposed == 1u);
  let tx = t % 8u;
  let ty = (t / 8u) % 8u;
  let j = min(first + tx, width - 1u);
  //#for c 4
  var acc${c} = vec4f();
  //#end
  for (var i = 0u; i < m.rows; i += 32u) {
    workgroupBarrier();
    let q = min(i / 4u + tx, height - 1u);
    //#for l 4
    let f${l} = factors[left + min(first_row + 8u * ${l}u + ty, r - 1u) * height + q];
    let at${l} = i + 8u * ${l}u + ty;
    let x${l} = xm[m.y + min(at${l}, m.rows - 1u) * width + j];
    //#end
    //#for l 4
    panel_f[(8u * ${l}u + ty) * 8u + tx] = f${l};
    panel_x[(8u * ${l}u + ty) * 8u + tx] = select(vec4f(), x${l}, at${l} < m.rows);
    //#end
    workgroupBarrier();
    for (var e = 0u; e < 8u; e++) {
      //#for c 4
      let a${c} = panel_f[(8u * ${c}u + ty) * 8u + e % 8u];
      //#end
      //#for k 4
      let y${k} = panel_x[(4u * (e % 8u) + ${k}u) * 8u + tx];
      //#for c 4
      acc${c} = fma(vec4f(a${c}[${k}]), y${k}, acc${c});
      //#end
      //#end
    }
  }
  if (first + tx >= width) { return; }
  let epsilon = state[wid.y].epsilon;
  //#for c 4
  let row${c} = first_row + 8u * ${c}u + ty;
  if (row${c} < r) {
    let s = epsilon / sigma[m.s + row${c}] - 1.0;
    g[m.y + row${c} * width + j] = s * acc${c};
  }
  //#end
}
