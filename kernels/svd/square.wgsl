// svd/square: one-sided Jacobi of a square of columns that a workgroup's memory holds, all rounds of all sweeps in one dispatch.
//   X <- X J with orthogonal columns, pairs of columns turned by svd/rotation, in the order of the round-robin tournament.
//   Sweeps end with the first that met no |cos| from `tolerance` on. Nothing is turned along.
// LANES invocations share the rows of a pair. They add up each other's partial inner products through memory in a fixed order:
// subgroups would save a barrier, but not every device says how its invocations lie in them.
// Shapes: y of kind `kind`: ell columns, of which ell rows are used, ell <= SIDE
// Grid: workgroup per matrix (x), LANES x SIDE / 2. Precision: f32, relative to each column's own norm
// Source: Hestenes 1958; Demmel and Veselic 1992
struct Params { kind: u32, sweeps: u32, tolerance: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
override SIDE: u32 = 56u;   // columns that fit; a multiple of 4
override LANES: u32 = 8u;
var<workgroup> x: array<vec4f, SIDE * SIDE / 4u>;
var<workgroup> sums: array<vec4f, LANES * SIDE / 2u>;
var<workgroup> most: atomic<u32>;
var<workgroup> seen: u32;

@compute @workgroup_size(LANES, SIDE / 2u)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let index = lid.y * LANES + lid.x;
  let quads = SIDE / 4u;
  let threads = LANES * SIDE / 2u;
  let m = table[wid.x];
  let ell = select(0u, state[wid.x].ell, state[wid.x].live == 1u && state[wid.x].ell <= SIDE);
  let blocks = (ell + 3u) / 4u;
  let stride = height_of(m, p.kind);
  let base = first_of(m, p.kind);
  let n = ell + (ell & 1u);
  for (var t = index; t < n * quads; t += threads) {
    let c = t / quads;
    let e = t % quads;
    var value = vec4f();
    if (c < ell && e < blocks) { value = y[base + c * stride + e]; }
    x[t] = value;
  }
  workgroupBarrier();
  let meets = 2u * lid.y < n;
  var done = ell < 2u;
  var sweep = 0u;
  while (!done && sweep < p.sweeps) {
    var worst = 0.0;
    for (var round = 0u; round + 1u < n; round++) {
      let turn = n - 1u;
      let i = select(0u, (round + lid.y) % turn, meets);
      let j = select(0u, select((round + turn - lid.y % turn) % turn, turn, lid.y == 0u), meets);
      // In one order, whoever meets: the longer column tends to the front, where it started.
      let first = min(i, j) * quads;
      let second = max(i, j) * quads;
      var squares = vec4f();
      var others = vec4f();
      var products = vec4f();
      //#for h HELD
      let e${h} = lid.x + ${h}u * LANES;
      var a${h} = vec4f();
      var b${h} = vec4f();
      if (e${h} < blocks) {
        a${h} = x[first + e${h}];
        b${h} = x[second + e${h}];
        squares = fma(a${h}, a${h}, squares);
        others = fma(b${h}, b${h}, others);
        products = fma(a${h}, b${h}, products);
      }
      //#end
      let one = vec4f(1.0);
      sums[index] = vec4f(dot(squares, one), dot(others, one), dot(products, one), 0.0);
      workgroupBarrier();
      var sum = vec4f();
      for (var l = 0u; l < LANES; l++) { sum += sums[lid.y * LANES + l]; }
      let r = rotation(sum.x, sum.y, sum.z);
      if (meets) {
        worst = max(worst, cosine(sum.x, sum.y, sum.z));
        //#for h HELD
        if (e${h} < blocks) {
          x[first + e${h}] = a${h} - fma(vec4f(r.x), b${h}, r.y * a${h});
          x[second + e${h}] = b${h} + fma(vec4f(r.x), a${h}, -r.y * b${h});
        }
        //#end
      }
      workgroupBarrier();
    }
    if (lid.x == 0u) { atomicMax(&most, bitcast<u32>(worst)); }
    workgroupBarrier();
    if (index == 0u) { seen = atomicExchange(&most, 0u); }
    done = bitcast<f32>(workgroupUniformLoad(&seen)) < p.tolerance;
    sweep++;
  }
  for (var t = index; t < ell * quads; t += threads) {
    let c = t / quads;
    let e = t % quads;
    if (e < blocks) { y[base + c * stride + e] = x[t]; }
  }
}
