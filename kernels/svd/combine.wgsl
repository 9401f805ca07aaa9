// svd/combine: C = A B, columns of A combined: Y = A V, Q = Y R^-1, V = V (1.5 I - 0.5 V^T V)
//   C_c = sum_j A_j B_jc,  c < ell;  j < k, j < ell, or j <= c when B is upper triangular
//   with `revive`, a column whose B_cc is 0 (it was a zero column) becomes normal deviates, so that no direction stays dead
// Shapes: columns as in svd/common; A and C of one span, B of k or ell rows
// Grid: thread per 2 vec4s x COLS columns of C (a template value), x folded, y = matrix. Precision: f32, rtol 1e-6 of |A| |B|
// Source: ours
struct Params { a: u32, b: u32, c: u32, inner: u32, iterate: u32, revive: u32, span: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read> left: array<vec4f>;
@group(0) @binding(4) var<storage, read> right: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> product: array<vec4f>;
override WG: u32 = 64u;
const ALL = 0u;         // inner: j < k,
const TRIANGULAR = 2u;  // j <= c; otherwise j < ell

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let ell = state[wid.y].ell;
  let length = span_of(table[wid.y], p.span, ell);
  let row_tiles = (length + 1u) / 2u;
  let t = wid.x * WG + lid.x;
  let col = ${COLS}u * (t / row_tiles);
  let work = state[wid.y].live == 1u && !(p.iterate == 1u && state[wid.y].full == 1u) && col < ell;
  // A loop: a software adapter runs straight code whether or not a lane is left in it, but leaves a loop that nobody is in.
  for (var once = select(0u, 1u, work); once > 0u; once--) {
    let m = table[wid.y];
    let height = height_of(m, p.a);
    let stride = height_of(m, p.b);
    let step = height_of(m, p.c);
    let e0 = 2u * (t % row_tiles);
    let e1 = min(e0 + 1u, length - 1u);
    var inner = select(ell, m.k, p.inner == ALL);
    if (p.inner == TRIANGULAR) { inner = min(inner, col + ${COLS}u); }
    let a = first_of(m, p.a);
    let b = first_of(m, p.b);
    //#for c COLS
    let b${c} = b + min(col + ${c}u, ell - 1u) * stride;
    var acc0${c} = vec4f();
    var acc1${c} = vec4f();
    //#end
    // B is zero past its last row, up to whole vec4s: what it meets there need only be a number.
    let last = select(ell, m.k, p.inner == ALL) - 1u;
    for (var j = 0u; j < inner; j += 4u) {
      //#for c COLS
      let x${c} = right[b${c} + j / 4u];
      //#end
      //#for q 4
      let at${q} = a + min(j + ${q}u, last) * height;
      let p${q} = left[at${q} + e0];
      let q${q} = left[at${q} + e1];
      //#for c COLS
      acc0${c} = fma(p${q}, vec4f(x${c}[${q}]), acc0${c});
      acc1${c} = fma(q${q}, vec4f(x${c}[${q}]), acc1${c});
      //#end
      //#end
    }
    let out = first_of(m, p.c);
    let rows = select(select(ell, m.k, p.span == SHORT), m.p, p.span == LONG);
    // A loop: unrolled, the deviates alone take a software adapter a quarter of a second to compile.
    let tile0 = array<vec4f, ${COLS}>(
      //#for c COLS
      acc0${c},
      //#end
    );
    let tile1 = array<vec4f, ${COLS}>(
      //#for c COLS
      acc1${c},
      //#end
    );
    for (var i = 0u; i < ${COLS}u; i++) {
      let c = col + i;
      if (c >= ell) { break; }
      var first = tile0[i];
      var second = tile1[i];
      // A loop for the reason given above: deviates are dear.
      let dead = p.revive == 1u && right[b + c * stride + c / 4u][c % 4u] == 0.0;
      for (var again = select(0u, 1u, dead); again > 0u; again--) {
        let seed = m.seed ^ hash_u32(state[wid.y].refreshes + 0x10000u * (p.c + 1u));
        first = normal_column(seed, c, e0, rows);
        second = normal_column(seed, c, e1, rows);
      }
      product[out + c * step + e0] = first;
      if (e0 + 1u < length) { product[out + c * step + e1] = second; }
    }
  }
}
