// svd/jacobi: one round of one-sided block Jacobi: columns of Y meet in fours and leave orthogonal, V is turned along.
//   G = X^T X of the four columns X; rotations of G by
//   zeta = (G_jj - G_ii) / (2 G_ij),  t = sign(zeta) / (|zeta| + sqrt(1 + zeta^2)) = tan(theta)
//   for each of the six pairs make up I + D;  X <- X + X D
// Blocks of two columns follow the round-robin tournament: in n - 1 rounds (n = ceil(ell / 2) made even) every block, and so
// every pair of columns, meets every other: a sweep. Fours instead of pairs: a third of the memory traffic, half the rounds.
// Shapes: y: ell columns of pv vec4s; v: ell columns of kv vec4s, per matrix; off: largest |cos| of the sweep, as bits
// Grid: LANES invocations (x) per four, PAIRS fours (y) per workgroup; workgroups x over fours, y = matrix.
// Precision: f32; relative to each column's own norm, so small singular values keep their digits
// Source: Hestenes 1958; Demmel and Veselic 1992; rotation by tan(theta/2) after Rutishauser 1966
struct Params { round: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> off: array<atomic<u32>>;
override LANES: u32 = 1u;
override PAIRS: u32 = 8u;
var<workgroup> squares: array<vec4f, LANES * PAIRS>;
var<workgroup> firsts: array<vec4f, LANES * PAIRS>;
var<workgroup> lasts: array<vec2f, LANES * PAIRS>;

// A column whose square underflows is zero for f32 beside max |A| of at least 1.
fn cosine(a: f32, b: f32, ab: f32) -> f32 {
  let norms = sqrt(a) * sqrt(b);
  return select(0.0, abs(ab) / max(norms, 1e-30), norms > 1e-30);
}

// (t, sin, tan(theta/2)) that zeroes ab, or nothing where rounding of the dot product is all there is to turn.
fn rotation(a: f32, b: f32, ab: f32) -> vec3f {
  let turned = cosine(a, b, ab) > 6e-8;
  let zeta = (b - a) / (2.0 * select(1.0, ab, turned));
  let t = select(-1.0, 1.0, zeta >= 0.0) / (abs(zeta) + sqrt(fma(zeta, zeta, 1.0)));
  // tan(theta/2) first: sin = 2 tau / (1 + tau^2) keeps the rotation orthogonal to rounding of sin alone.
  let tau = t / (1.0 + sqrt(fma(t, t, 1.0)));
  return select(vec3f(), vec3f(t, 2.0 * tau / fma(tau, tau, 1.0), tau), turned);
}

@compute @workgroup_size(LANES, PAIRS)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let s = state[wid.y];
  let blocks = (s.ell + 1u) / 2u;
  let n = blocks + (blocks & 1u);
  // All of this is the same for the whole workgroup, so the barriers below are reached by all or none.
  if (s.live == 0u || s.converged == 1u || p.round + 1u >= n || wid.x * PAIRS >= n / 2u) { return; }
  let q = wid.x * PAIRS + lid.y;
  let turn = n - 1u;
  var i = (p.round + q) % turn;
  var j = (p.round + turn - q % turn) % turn;
  if (q == 0u) { j = turn; }
  let first = 2u * min(i, j);
  let second = 2u * max(i, j);
  // Of the last block and of the one that evens their number, columns may not exist: they count as zero and stay unwritten.
  let there = vec4<bool>(q < n / 2u && first < s.ell, q < n / 2u && first + 1u < s.ell, q < n / 2u && second < s.ell, q < n / 2u && second + 1u < s.ell);
  let column = min(vec4u(first, first + 1u, second, second + 1u), vec4u(s.ell - 1u));
  let yc = vec4u(m.y) + column * m.pv;
  //#for a 10
  var g${a} = vec4f();
  //#end
  if (there.x) {
    for (var e = lid.x; e < m.pv; e += LANES) {
      let x0 = y[yc.x + e];
      let x1 = y[yc.y + e];
      let x2 = y[yc.z + e];
      let x3 = y[yc.w + e];
      g0 = fma(x0, x0, g0);
      g1 = fma(x1, x1, g1);
      g2 = fma(x2, x2, g2);
      g3 = fma(x3, x3, g3);
      g4 = fma(x0, x1, g4);
      g5 = fma(x0, x2, g5);
      g6 = fma(x0, x3, g6);
      g7 = fma(x1, x2, g7);
      g8 = fma(x1, x3, g8);
      g9 = fma(x2, x3, g9);
    }
  }
  let one = vec4f(1.0);
  var d = select(vec4f(), vec4f(dot(g0, one), dot(g1, one), dot(g2, one), dot(g3, one)), there);
  var h = vec4f(dot(g4, one), dot(g5, one), dot(g6, one), dot(g7, one));
  var k = vec2f(dot(g8, one), dot(g9, one));
  if (LANES > 1u) {
    let slot = lid.y * LANES + lid.x;
    squares[slot] = d;
    firsts[slot] = h;
    lasts[slot] = k;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      if (lid.x < half) {
        squares[slot] += squares[slot + half];
        firsts[slot] += firsts[slot + half];
        lasts[slot] += lasts[slot + half];
      }
      workgroupBarrier();
    }
    d = squares[lid.y * LANES];
    h = firsts[lid.y * LANES];
    k = lasts[lid.y * LANES];
  }
  // Columns that do not exist have d = 0, hence cosine 0 and no rotation.
  let worst = max(
    max(max(cosine(d.x, d.y, h.x), cosine(d.x, d.z, h.y)), max(cosine(d.x, d.w, h.z), cosine(d.y, d.z, h.w))),
    max(cosine(d.y, d.w, k.x), cosine(d.z, d.w, k.y)),
  );
  if (there.x && lid.x == 0u) { atomicMax(&off[wid.y], bitcast<u32>(worst)); }
  if (there.x && worst > 6e-8) {
    // G by name, and I + D by columns: e are the unit vectors, d the small differences that keep their digits.
    var a = d.x;
    var b = d.y;
    var c = d.z;
    var w = d.w;
    var ab = h.x;
    var ac = h.y;
    var aw = h.z;
    var bc = h.w;
    var bw = k.x;
    var cw = k.y;
    var da = vec4f();
    var db = vec4f();
    var dc = vec4f();
    var dw = vec4f();
    var ea = vec4f(1.0, 0.0, 0.0, 0.0);
    var eb = vec4f(0.0, 1.0, 0.0, 0.0);
    var ec = vec4f(0.0, 0.0, 1.0, 0.0);
    var ew = vec4f(0.0, 0.0, 0.0, 1.0);
    // Three rounds of a tournament of four: (a b)(c w), (a c)(w b), (a w)(b c); after them the names are back in place.
    //#for turn 3
    {
      let r = rotation(a, b, ab);
      a = max(0.0, fma(-r.x, ab, a));
      b = max(0.0, fma(r.x, ab, b));
      let ac1 = ac - r.y * (r.z * ac + bc);
      let bc1 = bc + r.y * (ac - r.z * bc);
      let aw1 = aw - r.y * (r.z * aw + bw);
      let bw1 = bw + r.y * (aw - r.z * bw);
      let da1 = da - r.y * (r.z * (ea + da) + (eb + db));
      let db1 = db + r.y * ((ea + da) - r.z * (eb + db));
      let z = rotation(c, w, cw);
      c = max(0.0, fma(-z.x, cw, c));
      w = max(0.0, fma(z.x, cw, w));
      let ab1 = select(ab, 0.0, r.y != 0.0);
      let cw1 = select(cw, 0.0, z.y != 0.0);
      let ac2 = ac1 - z.y * (z.z * ac1 + aw1);
      let aw2 = aw1 + z.y * (ac1 - z.z * aw1);
      let bc2 = bc1 - z.y * (z.z * bc1 + bw1);
      let bw2 = bw1 + z.y * (bc1 - z.z * bw1);
      let dc1 = dc - z.y * (z.z * (ec + dc) + (ew + dw));
      let dw1 = dw + z.y * ((ec + dc) - z.z * (ew + dw));
      // b <- c, c <- w, w <- b.
      let b0 = b;
      b = c;
      c = w;
      w = b0;
      ab = ac2;
      ac = aw2;
      aw = ab1;
      bc = cw1;
      bw = bc2;
      cw = bw2;
      da = da1;
      db = dc1;
      dc = dw1;
      dw = db1;
      let eb0 = eb;
      eb = ec;
      ec = ew;
      ew = eb0;
    }
    //#end
    for (var e = lid.x; e < m.pv; e += LANES) {
      let x0 = y[yc.x + e];
      let x1 = y[yc.y + e];
      let x2 = y[yc.z + e];
      let x3 = y[yc.w + e];
      y[yc.x + e] = x0 + fma(vec4f(da.x), x0, fma(vec4f(da.y), x1, fma(vec4f(da.z), x2, da.w * x3)));
      if (there.y) { y[yc.y + e] = x1 + fma(vec4f(db.x), x0, fma(vec4f(db.y), x1, fma(vec4f(db.z), x2, db.w * x3))); }
      if (there.z) { y[yc.z + e] = x2 + fma(vec4f(dc.x), x0, fma(vec4f(dc.y), x1, fma(vec4f(dc.z), x2, dc.w * x3))); }
      if (there.w) { y[yc.w + e] = x3 + fma(vec4f(dw.x), x0, fma(vec4f(dw.y), x1, fma(vec4f(dw.z), x2, dw.w * x3))); }
    }
    let vc = vec4u(m.v) + column * m.kv;
    for (var e = lid.x; e < m.kv; e += LANES) {
      let x0 = v[vc.x + e];
      let x1 = v[vc.y + e];
      let x2 = v[vc.z + e];
      let x3 = v[vc.w + e];
      v[vc.x + e] = x0 + fma(vec4f(da.x), x0, fma(vec4f(da.y), x1, fma(vec4f(da.z), x2, da.w * x3)));
      if (there.y) { v[vc.y + e] = x1 + fma(vec4f(db.x), x0, fma(vec4f(db.y), x1, fma(vec4f(db.z), x2, db.w * x3))); }
      if (there.z) { v[vc.z + e] = x2 + fma(vec4f(dc.x), x0, fma(vec4f(dc.y), x1, fma(vec4f(dc.z), x2, dc.w * x3))); }
      if (there.w) { v[vc.w + e] = x3 + fma(vec4f(dw.x), x0, fma(vec4f(dw.y), x1, fma(vec4f(dw.z), x2, dw.w * x3))); }
    }
  }
}
