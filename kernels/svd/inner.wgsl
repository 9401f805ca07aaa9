// svd/inner: C = A^T B, inner products of columns: Z = A^T Q and the Gram matrices Y^T Y, V^T V
//   C_ic = A_i . B_c,  i < k or i < ell,  c < ell;  with `same` (A is B) tiles below the diagonal are mirrored
//   SHARE, for software adapters: four lanes of a subgroup have a tile together, each four of its rows and a quarter of the loads of B,
//   which it broadcasts within the quad that they are: loads are dear there. OWN: an invocation has a tile. Both give the same bits.
// Shapes: columns as in svd/common; A and B of one span, C short
// Grid: thread, or four lanes, per SIZE x SIZE of C (SIZE = 4 QUADS), x folded, y = matrix. Precision: f32, rtol 1e-6 of |A_i| |B_c|
// Source: ours
const SIZE = 4u * ${QUADS}u;
// Invocations of a tile, and fours of its rows that each has.
const LANES = ${LANES}u;
const HIGH = ${HIGH}u;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
  //#for once SHARE
  @builtin(subgroup_invocation_id) lane: u32,
  //#end
) {
  let ell = state[wid.y].ell;
  // By kind; long ranges are the even ones.
  let firsts = vec4u(table[wid.y].y, table[wid.y].v, table[wid.y].u_at, table[wid.y].v_at);
  let heights = vec2u(table[wid.y].pv, table[wid.y].kv);
  let count = select(ell, table[wid.y].k, p.all == 1u);
  let row_tiles = (count + SIZE - 1u) / SIZE;
  let col_tiles = (ell + SIZE - 1u) / SIZE;
  let t = (wid.x * WG + lid.x) / LANES;
  let place = tile_of(t, row_tiles, col_tiles, p.same == 1u);
  var row = place.x;
  var col = place.y;
  let work = state[wid.y].live == 1u && !(p.iterate == 1u && state[wid.y].full == 1u) && col < col_tiles;
  // A loop: a software adapter runs straight code whether or not a lane is left in it, but leaves a loop that nobody is in.
  for (var once = select(0u, 1u, work); once > 0u; once--) {
    let mirrored = p.same == 1u && row != col;
    row = SIZE * row + ${OFFSET};
    col *= SIZE;
    let height = heights[p.a & 1u];
    let stride = heights[p.b & 1u];
    let length = select(select((ell + 3u) / 4u, heights.y, p.span == SHORT), heights.x, p.span == LONG);
    let a = firsts[p.a];
    let b = firsts[p.b];
    //#for h HIGH
    //#for i 4
    let a${h}_${i} = a + min(row + 4u * ${h}u + ${i}u, count - 1u) * height;
    //#end
    //#end
    //#for i QUADS
    //#for once SHARE
    let b${i} = b + min(col + 4u * ${i}u + lane, ell - 1u) * stride;
    //#end
    //#for q 4
    //#for once OWN
    let b${i}_${q} = b + min(col + 4u * ${i}u + ${q}u, ell - 1u) * stride;
    //#end
    //#for h HIGH
    //#for r 4
    var acc${i}_${q}_${h}_${r} = 0.0;
    //#end
    //#end
    //#end
    //#end
    for (var e = 0u; e < length; e++) {
      //#for h HIGH
      //#for r 4
      let x${h}_${r} = left[a${h}_${r} + e];
      //#end
      //#end
      // A statement for each accumulator, of scalars: software adapters mask every store to a variable, and keep sums of them in registers.
      //#for i QUADS
      //#for once SHARE
      let mine${i} = right[b${i} + e];
      //#end
      //#for q 4
      //#for once SHARE
      let y${i}_${q} = quadBroadcast(mine${i}, ${q}u);
      //#end
      //#for once OWN
      let y${i}_${q} = right[b${i}_${q} + e];
      //#end
      //#for h HIGH
      //#for r 4
      acc${i}_${q}_${h}_${r} = fma(x${h}_${r}.w, y${i}_${q}.w, fma(x${h}_${r}.z, y${i}_${q}.z, fma(x${h}_${r}.y, y${i}_${q}.y, fma(x${h}_${r}.x, y${i}_${q}.x, acc${i}_${q}_${h}_${r}))));
      //#end
      //#end
      //#end
      //#end
    }
    let out = firsts[p.c];
    let step = heights[p.c & 1u];
    // Loops: unrolled, the stores alone take a software adapter a quarter of a second to compile.
    let tile = array<array<vec4f, HIGH>, SIZE>(
      //#for i QUADS
      //#for q 4
      array<vec4f, HIGH>(
        //#for h HIGH
        vec4f(acc${i}_${q}_${h}_0, acc${i}_${q}_${h}_1, acc${i}_${q}_${h}_2, acc${i}_${q}_${h}_3),
        //#end
      ),
      //#end
      //#end
    );
    for (var c = 0u; c < min(SIZE, ell - col); c++) {
      for (var h = 0u; h < HIGH; h++) {
        let at = row + 4u * h;
        if (at < count) {
          let inside = vec4u(at) + vec4u(0u, 1u, 2u, 3u) < vec4u(count);
          product[out + (col + c) * step + at / 4u] = select(vec4f(), tile[c][h], inside);
        }
      }
    }
    for (var r = 0u; r < select(0u, min(4u * HIGH, max(row, count) - row), mirrored); r++) {
      for (var h = 0u; h < ${QUADS}u; h++) {
        let at = col + 4u * h;
        if (at < ell) {
          let inside = vec4u(at) + vec4u(0u, 1u, 2u, 3u) < vec4u(ell);
          //#for once SHARE
          let x = vec4f(tile[4u * h][0][r], tile[4u * h + 1u][0][r], tile[4u * h + 2u][0][r], tile[4u * h + 3u][0][r]);
          //#end
          //#for once OWN
          let x = vec4f(tile[4u * h][r / 4u][r % 4u], tile[4u * h + 1u][r / 4u][r % 4u], tile[4u * h + 2u][r / 4u][r % 4u], tile[4u * h + 3u][r / 4u][r % 4u]);
          //#end
          product[out + (row + r) * step + at / 4u] = select(vec4f(), x, inside);
        }
      }
    }
  }
}
