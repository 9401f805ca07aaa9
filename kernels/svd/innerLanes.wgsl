// svd/innerLanes: svd/inner for software adapters: four lanes of a subgroup share a tile, 16 columns of C by four times 4 rows.
//   Each loads a quarter of the 16 vec4s of B that they have in common and broadcasts it: loads are dear there.
//   Sums in the order of svd/inner, so both give the same bits.
// Shapes: as svd/inner. Grid: four lanes, a whole subgroup, per tile, x folded, y = matrix. Precision: as svd/inner
struct Params { a: u32, b: u32, c: u32, all: u32, iterate: u32, same: u32, span: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read> left: array<vec4f>;
@group(0) @binding(4) var<storage, read> right: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> product: array<vec4f>;
const SIZE = 16u;

override WG: u32 = 16u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let m = table[wid.y];
  let ell = state[wid.y].ell;
  let count = select(ell, m.k, p.all == 1u);
  let row_tiles = (count + SIZE - 1u) / SIZE;
  let col_tiles = (ell + SIZE - 1u) / SIZE;
  let t = wid.x * (WG / 4u) + lid.x / 4u;
  var row = t % row_tiles;
  var col = t / row_tiles;
  // Tiles on and above the diagonal, folded as in svd/inner.
  let half = (col_tiles + 1u) / 2u;
  let width = 2u * half + 1u;
  if (p.same == 1u) {
    let turn = t % width;
    let pair = t / width;
    let tall = width - 2u - pair;
    col = select(select(pair, tall, turn <= tall), col_tiles, pair >= half);
    row = select(turn - tall - 1u, turn, turn <= tall);
  }
  let work = state[wid.y].live == 1u && !(p.iterate == 1u && state[wid.y].full == 1u) && col < col_tiles;
  // A loop: a software adapter runs straight code whether or not a lane is left in it, but leaves a loop that nobody is in.
  for (var once = select(0u, 1u, work); once > 0u; once--) {
    let length = span_of(m, p.span, ell);
    let a = first_of(m, p.a);
    let b = first_of(m, p.b);
    let mine = SIZE * row + 4u * lane;
    //#for i 4
    let a${i} = a + min(mine + ${i}u, count - 1u) * height_of(m, p.a);
    let b${i} = b + min(SIZE * col + 4u * ${i}u + lane, ell - 1u) * height_of(m, p.b);
    //#for q 4
    var acc${i}_${q} = vec4f();
    //#end
    //#end
    for (var e = 0u; e < length; e++) {
      //#for i 4
      let x${i} = left[a${i} + e];
      //#end
      // Rows as columns: one product of vec4s for each entry of y, instead of four dot products that end in scalars.
      let p0 = vec4f(x0.x, x1.x, x2.x, x3.x);
      let p1 = vec4f(x0.y, x1.y, x2.y, x3.y);
      let p2 = vec4f(x0.z, x1.z, x2.z, x3.z);
      let p3 = vec4f(x0.w, x1.w, x2.w, x3.w);
      //#for i 4
      let quad${i} = right[b${i} + e];
      //#for q 4
      let y${i}_${q} = subgroupBroadcast(quad${i}, ${q}u);
      acc${i}_${q} = fma(p3, vec4f(y${i}_${q}.w), fma(p2, vec4f(y${i}_${q}.z), fma(p1, vec4f(y${i}_${q}.y), fma(p0, vec4f(y${i}_${q}.x), acc${i}_${q}))));
      //#end
      //#end
    }
    let out = first_of(m, p.c);
    let step = height_of(m, p.c);
    // Loops: unrolled, the stores alone take a software adapter a quarter of a second to compile.
    let tile = array<vec4f, SIZE>(
      //#for i 4
      acc${i}_0, acc${i}_1, acc${i}_2, acc${i}_3,
      //#end
    );
    let inside = vec4u(mine) + vec4u(0u, 1u, 2u, 3u) < vec4u(count);
    for (var c = 0u; c < min(SIZE, ell - SIZE * col); c++) {
      if (mine < count) { product[out + (SIZE * col + c) * step + mine / 4u] = select(vec4f(), tile[c], inside); }
    }
    let mirrored = select(0u, 4u, p.same == 1u && row != col);
    for (var r = 0u; r < mirrored; r++) {
      for (var h = 0u; h < SIZE / 4u; h++) {
        let at = SIZE * col + 4u * h;
        if (at < ell && mine + r < count) {
          let x = vec4f(tile[4u * h][r], tile[4u * h + 1u][r], tile[4u * h + 2u][r], tile[4u * h + 3u][r]);
          product[out + (mine + r) * step + at / 4u] = select(vec4f(), x, vec4u(at) + vec4u(0u, 1u, 2u, 3u) < vec4u(ell));
        }
      }
    }
  }
}
