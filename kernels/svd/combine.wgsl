// svd/combine: C = A B, columns of A combined: Y = A V, Q = Y R^-1, V = V (1.5 I - 0.5 V^T V)
//   C_c = sum_j A_j B_jc,  c < ell;  j < k, j < ell, or j <= c when B is upper triangular
//   with `revive`, a column whose B_cc is 0 (it was a zero column) becomes normal deviates, so that no direction stays dead
//   SHARE, for software adapters: four lanes of a subgroup have a tile together, each every fourth vec4 of its rows and a quarter of
//   the loads of B, which it broadcasts within the quad that they are: loads are dear there. OWN: an invocation has a tile. Both give the same bits.
// Shapes: columns as in svd/common; A and C of one span, B of k or ell rows
// Grid: thread, or four lanes, per COLS = 4 QUADS columns of C by 2 vec4s each, x folded, y = matrix. Precision: f32, rtol 1e-6 of |A| |B|
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
const COLS = 4u * ${QUADS}u;
// Invocations of a tile; its two vec4s of a column lie as far apart.
const LANES = ${LANES}u;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
  //#for once SHARE
  @builtin(subgroup_invocation_id) lane: u32,
  //#end
) {
  let ell = state[wid.y].ell;
  let k = table[wid.y].k;
  // By kind; long ranges are the even ones.
  let firsts = vec4u(table[wid.y].y, table[wid.y].v, table[wid.y].u_at, table[wid.y].v_at);
  let heights = vec2u(table[wid.y].pv, table[wid.y].kv);
  let length = select(select((ell + 3u) / 4u, heights.y, p.span == SHORT), heights.x, p.span == LONG);
  let row_tiles = (length + 2u * LANES - 1u) / (2u * LANES);
  let t = (wid.x * WG + lid.x) / LANES;
  let col = COLS * (t / row_tiles);
  let work = state[wid.y].live == 1u && !(p.iterate == 1u && state[wid.y].full == 1u) && col < ell;
  // A loop: a software adapter runs straight code whether or not a lane is left in it, but leaves a loop that nobody is in.
  for (var once = select(0u, 1u, work); once > 0u; once--) {
    let row = 2u * LANES * (t % row_tiles) + ${LANE};
    let height = heights[p.a & 1u];
    let stride = heights[p.b & 1u];
    let e0 = min(row, length - 1u);
    let e1 = min(row + LANES, length - 1u);
    let last = select(ell, k, p.inner == ALL) - 1u;
    let inner = select(last + 1u, min(last + 1u, col + COLS), p.inner == TRIANGULAR);
    let a = firsts[p.a];
    let b = firsts[p.b];
    //#for i QUADS
    //#for once SHARE
    let b${i} = b + min(col + 4u * ${i}u + lane, ell - 1u) * stride;
    //#end
    //#for q 4
    //#for once OWN
    let b${i}_${q} = b + min(col + 4u * ${i}u + ${q}u, ell - 1u) * stride;
    //#end
    //#for v 4
    var acc0${i}_${q}_${v} = 0.0;
    var acc1${i}_${q}_${v} = 0.0;
    //#end
    //#end
    //#end
    // B is zero past its last row, up to whole vec4s: what it meets there need only be a number.
    for (var j = 0u; j < inner; j += 4u) {
      //#for q 4
      let at${q} = a + min(j + ${q}u, last) * height;
      let p${q} = left[at${q} + e0];
      let q${q} = left[at${q} + e1];
      //#end
      // A statement for each accumulator, of scalars: software adapters mask every store to a variable, and keep sums of them in registers.
      //#for i QUADS
      //#for once SHARE
      let mine${i} = right[b${i} + j / 4u];
      //#end
      //#for q 4
      //#for once SHARE
      let x${i}_${q} = quadBroadcast(mine${i}, ${q}u);
      //#end
      //#for once OWN
      let x${i}_${q} = right[b${i}_${q} + j / 4u];
      //#end
      //#for v 4
      acc0${i}_${q}_${v} = fma(p3[${v}], x${i}_${q}.w, fma(p2[${v}], x${i}_${q}.z, fma(p1[${v}], x${i}_${q}.y, fma(p0[${v}], x${i}_${q}.x, acc0${i}_${q}_${v}))));
      acc1${i}_${q}_${v} = fma(q3[${v}], x${i}_${q}.w, fma(q2[${v}], x${i}_${q}.z, fma(q1[${v}], x${i}_${q}.y, fma(q0[${v}], x${i}_${q}.x, acc1${i}_${q}_${v}))));
      //#end
      //#end
      //#end
    }
    let out = firsts[p.c];
    let step = heights[p.c & 1u];
    let rows = select(select(ell, k, p.span == SHORT), table[wid.y].p, p.span == LONG);
    // A loop: unrolled, the deviates alone take a software adapter a quarter of a second to compile.
    let tile = array<vec4f, 2u * COLS>(
      //#for i QUADS
      //#for q 4
      vec4f(acc0${i}_${q}_0, acc0${i}_${q}_1, acc0${i}_${q}_2, acc0${i}_${q}_3),
      vec4f(acc1${i}_${q}_0, acc1${i}_${q}_1, acc1${i}_${q}_2, acc1${i}_${q}_3),
      //#end
      //#end
    );
    for (var s = 0u; s < min(2u * COLS, 2u * (ell - col)); s++) {
      let c = col + s / 2u;
      let e = row + LANES * (s % 2u);
      var value = tile[s];
      // A loop for the reason given above: deviates are dear.
      let dead = p.revive == 1u && right[b + c * stride + c / 4u][c % 4u] == 0.0;
      for (var again = select(0u, 1u, dead); again > 0u; again--) {
        let seed = table[wid.y].seed ^ hash_u32(state[wid.y].refreshes + 0x10000u * (p.c + 1u));
        value = normal_column(seed, c, e, rows);
      }
      if (e < length) { product[out + c * step + e] = value; }
    }
  }
}
