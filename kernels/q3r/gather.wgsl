// q3r/gather: G = S Lf^T (X M), the weighted rows that the left factor takes out of X M
//   G_cj = s_c sum_i Lf_ic (X M)_ij,  s_c = epsilon / sigma_c - 1,  c < r
// Shapes: factors: columns; xm: rows of ceil(cols / 4) vec4s; g: r rows of ceil(cols / 4) vec4s
// Grid: thread per 4 rows x 8 columns of G, x folded, y = matrix. Precision: f32, rtol 1e-6 of |X M|
// Source: golden/README, L = U D U^T + (I - U U^T)
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read> factors: array<vec4f>;
@group(0) @binding(4) var<storage, read> xm: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> g: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let r = state[wid.y].envelope;
  let height = (m.rows + 3u) / 4u;
  let width = (m.cols + 3u) / 4u;
  let col_tiles = (width + 1u) / 2u;
  let t = wid.x * WG + lid.x;
  let j0 = 2u * (t % col_tiles);
  let row = 4u * (t / col_tiles);
  if (row >= r) { return; }
  let j1 = min(j0 + 1u, width - 1u);
  let left = select(m.u_at, m.v_at, m.transposed == 1u);
  //#for c 4
  let l${c} = left + min(row + ${c}u, r - 1u) * height;
  var a${c} = vec4f();
  var b${c} = vec4f();
  //#end
  let whole = m.rows / 4u;
  for (var i = 0u; i < whole; i++) {
    //#for c 4
    let f${c} = factors[l${c} + i];
    //#end
    let at = m.y + 4u * i * width;
    //#for q 4
    let x${q} = xm[at + ${q}u * width + j0];
    let y${q} = xm[at + ${q}u * width + j1];
    //#for c 4
    a${c} = fma(vec4f(f${c}[${q}]), x${q}, a${c});
    b${c} = fma(vec4f(f${c}[${q}]), y${q}, b${c});
    //#end
    //#end
  }
  for (var i = 4u * whole; i < m.rows; i++) {
    let x0 = xm[m.y + i * width + j0];
    let y0 = xm[m.y + i * width + j1];
    //#for c 4
    let f${c} = factors[l${c} + i / 4u][i % 4u];
    a${c} = fma(vec4f(f${c}), x0, a${c});
    b${c} = fma(vec4f(f${c}), y0, b${c});
    //#end
  }
  let epsilon = state[wid.y].epsilon;
  //#for c 4
  if (row + ${c}u < r) {
    let s = epsilon / sigma[m.s + row + ${c}u] - 1.0;
    let out = m.y + (row + ${c}u) * width;
    g[out + j0] = s * a${c};
    if (j0 + 1u < width) { g[out + j1] = s * b${c}; }
  }
  //#end
}
