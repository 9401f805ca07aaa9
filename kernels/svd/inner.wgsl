// svd/inner: C = A^T B, inner products of columns: Z = A^T Q and the Gram matrices Y^T Y, V^T V
//   C_ic = A_i . B_c,  i < k or i < ell,  c < ell;  with `same` (A is B) tiles below the diagonal are mirrored
// Shapes: columns as in svd/common; A and B of one span, C short
// Grid: thread per SIZE x SIZE of C (SIZE = 4 QUADS, a template value), x folded, y = matrix. Precision: f32, rtol 1e-6 of |A_i| |B_c|
// Source: ours
struct Params { a: u32, b: u32, c: u32, all: u32, iterate: u32, same: u32, span: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read> left: array<vec4f>;
@group(0) @binding(4) var<storage, read> right: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> product: array<vec4f>;
override WG: u32 = 64u;
const SIZE = ${SIZE}u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let ell = state[wid.y].ell;
  let count = select(ell, table[wid.y].k, p.all == 1u);
  let row_tiles = (count + SIZE - 1u) / SIZE;
  let t = wid.x * WG + lid.x;
  var row = t % row_tiles;
  var col = t / row_tiles;
  let col_tiles = (ell + SIZE - 1u) / SIZE;
  // Column tile c of a triangle has c + 1 tiles: rows 0 to c. Folding c with its opposite makes a rectangle, no thread idles.
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
    let m = table[wid.y];
    row *= SIZE;
    col *= SIZE;
    let height = height_of(m, p.a);
    let stride = height_of(m, p.b);
    let length = span_of(m, p.span, ell);
    let a = first_of(m, p.a);
    let b = first_of(m, p.b);
    //#for h QUADS
    //#for i 4
    let a${h}_${i} = a + min(row + 4u * ${h}u + ${i}u, count - 1u) * height;
    //#end
    //#end
    //#for c SIZE
    let b${c} = b + min(col + ${c}u, ell - 1u) * stride;
    //#end
    //#for c SIZE
    //#for h QUADS
    var acc${c}_${h} = vec4f();
    //#end
    //#end
    for (var e = 0u; e < length; e++) {
      //#for h QUADS
      //#for i 4
      let x${h}_${i} = left[a${h}_${i} + e];
      //#end
      // Rows as columns: one product of vec4s for each entry of y, instead of four dot products that end in scalars.
      let p${h}_0 = vec4f(x${h}_0.x, x${h}_1.x, x${h}_2.x, x${h}_3.x);
      let p${h}_1 = vec4f(x${h}_0.y, x${h}_1.y, x${h}_2.y, x${h}_3.y);
      let p${h}_2 = vec4f(x${h}_0.z, x${h}_1.z, x${h}_2.z, x${h}_3.z);
      let p${h}_3 = vec4f(x${h}_0.w, x${h}_1.w, x${h}_2.w, x${h}_3.w);
      //#end
      //#for c SIZE
      let y${c} = right[b${c} + e];
      //#for h QUADS
      acc${c}_${h} = fma(p${h}_3, vec4f(y${c}.w), fma(p${h}_2, vec4f(y${c}.z), fma(p${h}_1, vec4f(y${c}.y), fma(p${h}_0, vec4f(y${c}.x), acc${c}_${h}))));
      //#end
      //#end
    }
    let out = first_of(m, p.c);
    // Loops: unrolled, the stores alone take a software adapter a quarter of a second to compile.
    let tile = array<array<vec4f, ${QUADS}>, ${SIZE}>(
      //#for c SIZE
      array<vec4f, ${QUADS}>(
        //#for h QUADS
        acc${c}_${h},
        //#end
      ),
      //#end
    );
    for (var c = 0u; c < min(SIZE, ell - col); c++) {
      for (var h = 0u; h < SIZE / 4u; h++) {
        let at = row + 4u * h;
        if (at < count) {
          let inside = vec4u(at) + vec4u(0u, 1u, 2u, 3u) < vec4u(count);
          product[out + (col + c) * m.kv + at / 4u] = select(vec4f(), tile[c][h], inside);
        }
      }
    }
    let mirrored = select(0u, min(SIZE, count - row), p.same == 1u && row != col);
    for (var r = 0u; r < mirrored; r++) {
      for (var h = 0u; h < SIZE / 4u; h++) {
        let at = col + 4u * h;
        if (at < ell) {
          let inside = vec4u(at) + vec4u(0u, 1u, 2u, 3u) < vec4u(ell);
          let x = vec4f(tile[4u * h][r / 4u][r % 4u], tile[4u * h + 1u][r / 4u][r % 4u], tile[4u * h + 2u][r / 4u][r % 4u], tile[4u * h + 3u][r / 4u][r % 4u]);
          product[out + (row + r) * m.kv + at / 4u] = select(vec4f(), x, inside);
        }
      }
    }
  }
}
