// svd/combineLanes: svd/combine for software adapters: four lanes of a subgroup share a tile, 16 columns of C by four times 2 vec4s.
//   Each loads a quarter of the four quads of B that they have in common and broadcasts it: loads are dear there.
//   Sums in the order of svd/combine, so both give the same bits.
// Shapes: as svd/combine. Grid: four lanes, a whole subgroup, per tile, x folded, y = matrix. Precision: as svd/combine
struct Params { a: u32, b: u32, c: u32, inner: u32, iterate: u32, revive: u32, span: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read> left: array<vec4f>;
@group(0) @binding(4) var<storage, read> right: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> product: array<vec4f>;
const ALL = 0u;         // inner: j < k,
const TRIANGULAR = 2u;  // j <= c; otherwise j < ell

override WG: u32 = 16u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let t = wid.x * (WG / 4u) + lid.x / 4u;
  let m = table[wid.y];
  let ell = state[wid.y].ell;
  let length = span_of(m, p.span, ell);
  let row_tiles = (length + 7u) / 8u;
  let col = 16u * (t / row_tiles);
  let work = state[wid.y].live == 1u && !(p.iterate == 1u && state[wid.y].full == 1u) && col < ell;
  // A loop: a software adapter runs straight code whether or not a lane is left in it, but leaves a loop that nobody is in.
  for (var once = select(0u, 1u, work); once > 0u; once--) {
    let row = 8u * (t % row_tiles) + lane;
    let height = height_of(m, p.a);
    let stride = height_of(m, p.b);
    let e0 = min(row, length - 1u);
    let e1 = min(row + 4u, length - 1u);
    let last = select(ell, m.k, p.inner == ALL) - 1u;
    var inner = last + 1u;
    if (p.inner == TRIANGULAR) { inner = min(inner, col + 16u); }
    let a = first_of(m, p.a);
    let b = first_of(m, p.b);
    //#for i 4
    let b${i} = b + min(col + 4u * ${i}u + lane, ell - 1u) * stride;
    //#for q 4
    var acc0${i}_${q} = vec4f();
    var acc1${i}_${q} = vec4f();
    //#end
    //#end
    // B is zero past its last row, up to whole vec4s: what it meets there need only be a number.
    for (var j = 0u; j < inner; j += 4u) {
      //#for q 4
      let at${q} = a + min(j + ${q}u, last) * height;
      let p${q} = left[at${q} + e0];
      let q${q} = left[at${q} + e1];
      //#end
      //#for i 4
      let mine${i} = right[b${i} + j / 4u];
      //#for q 4
      let x${i}_${q} = subgroupBroadcast(mine${i}, ${q}u);
      acc0${i}_${q} = fma(p3, vec4f(x${i}_${q}.w), fma(p2, vec4f(x${i}_${q}.z), fma(p1, vec4f(x${i}_${q}.y), fma(p0, vec4f(x${i}_${q}.x), acc0${i}_${q}))));
      acc1${i}_${q} = fma(q3, vec4f(x${i}_${q}.w), fma(q2, vec4f(x${i}_${q}.z), fma(q1, vec4f(x${i}_${q}.y), fma(q0, vec4f(x${i}_${q}.x), acc1${i}_${q}))));
      //#end
      //#end
    }
    let out = first_of(m, p.c);
    let step = height_of(m, p.c);
    let rows = select(select(ell, m.k, p.span == SHORT), m.p, p.span == LONG);
    // A loop: unrolled, the deviates alone take a software adapter a quarter of a second to compile.
    let tile0 = array<vec4f, 16>(
      //#for i 4
      acc0${i}_0, acc0${i}_1, acc0${i}_2, acc0${i}_3,
      //#end
    );
    let tile1 = array<vec4f, 16>(
      //#for i 4
      acc1${i}_0, acc1${i}_1, acc1${i}_2, acc1${i}_3,
      //#end
    );
    for (var i = 0u; i < 16u; i++) {
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
      if (row < length) { product[out + c * step + row] = first; }
      if (row + 4u < length) { product[out + c * step + row + 4u] = second; }
    }
  }
}
