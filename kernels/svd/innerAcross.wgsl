// svd/innerAcross: svd/inner for GPUs. LANES invocations side by side share a tile of 4 x 4: each takes every LANES-th vec4 of the columns,
//   so that they read one stretch of memory and a few small matrices fill the device; their sums are added up in a fixed order.
// Shapes: as svd/inner
// Grid: LANES invocations per 4 x 4 of C, x folded, y = matrix. Precision: f32, rtol 1e-6 of |A_i| |B_c|
// Source: ours
override LANES: u32 = 8u;
var<workgroup> sums: array<vec4f, 4u * WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let ell = state[wid.y].ell;
  let count = select(ell, m.k, p.all == 1u);
  let col_tiles = (ell + 3u) / 4u;
  let lane = lid.x % LANES;
  let tile = tile_of((wid.x * WG + lid.x) / LANES, (count + 3u) / 4u, col_tiles, p.same == 1u);
  let work = state[wid.y].live == 1u && !(p.iterate == 1u && state[wid.y].full == 1u) && tile.y < col_tiles;
  let row = 4u * tile.x;
  let col = 4u * tile.y;
  let length = select(0u, span_of(m, p.span, ell), work);
  let height = height_of(m, p.a);
  let stride = height_of(m, p.b);
  //#for i 4
  let a${i} = first_of(m, p.a) + min(row + ${i}u, max(count, 1u) - 1u) * height;
  let b${i} = first_of(m, p.b) + min(col + ${i}u, max(ell, 1u) - 1u) * stride;
  //#for j 4
  var acc${i}_${j} = 0.0;
  //#end
  //#end
  for (var e = lane; e < length; e += LANES) {
    //#for j 4
    let x${j} = left[a${j} + e];
    //#end
    //#for i 4
    let y${i} = right[b${i} + e];
    //#for j 4
    acc${i}_${j} = fma(x${j}.w, y${i}.w, fma(x${j}.z, y${i}.z, fma(x${j}.y, y${i}.y, fma(x${j}.x, y${i}.x, acc${i}_${j}))));
    //#end
    //#end
  }
  //#for i 4
  sums[4u * lid.x + ${i}u] = vec4f(acc${i}_0, acc${i}_1, acc${i}_2, acc${i}_3);
  //#end
  workgroupBarrier();
  let out = first_of(m, p.c);
  let step = height_of(m, p.c);
  let first = 4u * (lid.x - lane);
  // The four columns of the tile, and where it lies off the diagonal the four of its mirror image.
  for (var o = lane; o < select(0u, select(4u, 8u, p.same == 1u && row != col), work); o += LANES) {
    var sum = vec4f();
    if (o < 4u) {
      for (var l = 0u; l < LANES; l++) { sum += sums[first + 4u * l + o]; }
      let inside = vec4u(row) + vec4u(0u, 1u, 2u, 3u) < vec4u(count);
      if (col + o < ell) { product[out + (col + o) * step + tile.x] = select(vec4f(), sum, inside); }
    } else {
      let r = o - 4u;
      for (var l = 0u; l < LANES; l++) {
        let at = first + 4u * l;
        sum += vec4f(sums[at][r], sums[at + 1u][r], sums[at + 2u][r], sums[at + 3u][r]);
      }
      let inside = vec4u(col) + vec4u(0u, 1u, 2u, 3u) < vec4u(ell);
      if (row + r < count) { product[out + (row + r) * step + tile.y] = select(vec4f(), sum, inside); }
    }
  }
}
