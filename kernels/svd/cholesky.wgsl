// svd/cholesky: from the Gram matrix G = Y^T Y of column-scaled Y, T with (Y T)^T (Y T) = I, or L with L L^T = G
//   D = diag(G)^-1/2,  D G D = M diag(d) M^T,  T = D M^-T diag(d)^-1/2, upper triangular,  L = D^-1 M diag(d)^1/2
//   Elimination in place: at step j row i > j loses f = G_ji / d_j times row j; its entry j becomes -f, part of M^-1.
//   Four steps at a time: the four pivot rows among themselves, then all rows below at once, four for a thread: as many
//   products as loads, and a quarter of the barriers.
//   A pivot under FLOOR is raised to it: the column comes out short but keeps its direction, and the next pass, which
//   scales columns again, makes it whole (what the shift of shifted Cholesky QR does). A zero column gives T_jj = 0.
//   With `drop`, where a pass went before, a pivot under FLOOR tells of a column with no direction of its own: T_jj = 0, too.
//   Columns of which no two have a |cos| above NEAR / sqrt(ell) need none of it: M^-1 is 2 I - M up to the squares, which end below 1e-7.
//   With `factor`, column j of the result is column j of L: a triangle with the singular values of Y, which Jacobi makes diagonal.
// Shapes: gram, result (of kind `out`): short ranges, ell x ell used, zero up to whole vec4s
// Grid: workgroup per matrix (x). Precision: f32; two passes give orthonormality to 1e-6, four where columns depend
// Source: Fukaya et al. 2020, shifted Cholesky QR; the in-place form is ours
struct Params { iterate: u32, factor: u32, out: u32, drop: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read_write> gram: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> columns: array<f32>;
// Four on software adapters: one of their subgroups, for which a barrier costs next to nothing.
override WG: u32 = 64u;
// Well above the rounding of G: a lower floor lets noise pivots multiply noise until it overflows.
const FLOOR = 1e-4;
const NEAR = 3e-4;
var<workgroup> worst: atomic<u32>;
var<workgroup> elsewhere: u32;

// Row i of G at vec4 e; rows past the last one, up to whole vec4s, are those of the identity and eliminate nothing.
fn row_at(m: Matrix, i: u32, e: u32, n: u32) -> vec4f {
  let unit = select(vec4f(), vec4f(1.0), vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) == vec4u(i));
  return select(unit, gram[m.v + min(i, n - 1u) * m.kv + e], i < n);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.x];
  let s = state[wid.x];
  let work = s.live == 1u && !(p.iterate == 1u && s.full == 1u);
  let n = select(0u, s.ell, work);
  let blocks = (n + 3u) / 4u;
  for (var i = lid.x; i < n; i += WG) {
    let g = gram[m.v + i * m.kv + i / 4u][i % 4u];
    columns[m.s + i] = select(0.0, inverseSqrt(g), g > 1e-30);
  }
  storageBarrier();
  var cosines = vec4f();
  for (var t = lid.x; t < n * blocks; t += WG) {
    let i = t / blocks;
    let e = t % blocks;
    let last = n - 1u - 4u * e;
    let at = m.s + 4u * e;
    let inside = vec4u(0u, 1u, 2u, 3u) <= vec4u(last);
    let d = vec4f(columns[at], columns[at + min(1u, last)], columns[at + min(2u, last)], columns[at + min(3u, last)]);
    let x = select(vec4f(), gram[m.v + i * m.kv + e] * d * columns[m.s + i], inside);
    // The diagonal is 1 by construction; a zero column gets it too, and its row and column are zero.
    let own = vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) == vec4u(i);
    gram[m.v + i * m.kv + e] = select(x, vec4f(1.0), own);
    cosines = max(cosines, select(abs(x), vec4f(), own));
  }
  atomicMax(&worst, bitcast<u32>(max(max(cosines.x, cosines.y), max(cosines.z, cosines.w))));
  storageBarrier();
  workgroupBarrier();
  if (lid.x == 0u) { elsewhere = atomicLoad(&worst); }
  let most = bitcast<f32>(workgroupUniformLoad(&elsewhere));
  let near = p.factor == 0u && most * most * f32(n) < NEAR * NEAR;
  for (var b = select(0u, blocks, near); b < blocks; b++) {
    let j = 4u * b;
    // Every thread eliminates the 4 x 4 of the pivots for itself: u its upper triangle, w the rows of M^-1.
    let u0 = row_at(m, j, b, n);
    let d0 = 1.0 / max(u0.x, FLOOR);
    let f1 = u0.y * d0;
    let u1 = row_at(m, j + 1u, b, n) - f1 * u0;
    let d1 = 1.0 / max(u1.y, FLOOR);
    let f2 = vec2f(u0.z * d0, u1.z * d1);
    let u2 = row_at(m, j + 2u, b, n) - f2.x * u0 - f2.y * u1;
    let d2 = 1.0 / max(u2.z, FLOOR);
    let f3 = vec3f(u0.w * d0, u1.w * d1, u2.w * d2);
    let u3 = row_at(m, j + 3u, b, n) - f3.x * u0 - f3.y * u1 - f3.z * u2;
    let d3 = 1.0 / max(u3.w, FLOOR);
    let w0 = vec4f(1.0, 0.0, 0.0, 0.0);
    let w1 = vec4f(0.0, 1.0, 0.0, 0.0) - f1 * w0;
    let w2 = vec4f(0.0, 0.0, 1.0, 0.0) - f2.x * w0 - f2.y * w1;
    let w3 = vec4f(0.0, 0.0, 0.0, 1.0) - f3.x * w0 - f3.y * w1 - f3.z * w2;
    let start = select(0u, b, p.factor == 1u);
    for (var e = start + lid.x; e < blocks; e += WG) {
      if (e != b) {
        let r0 = row_at(m, j, e, n);
        let r1 = row_at(m, j + 1u, e, n) - f1 * r0;
        let r2 = row_at(m, j + 2u, e, n) - f2.x * r0 - f2.y * r1;
        let r3 = row_at(m, j + 3u, e, n) - f3.x * r0 - f3.y * r1 - f3.z * r2;
        if (j + 1u < n) { gram[m.v + (j + 1u) * m.kv + e] = r1; }
        if (j + 2u < n) { gram[m.v + (j + 2u) * m.kv + e] = r2; }
        if (j + 3u < n) { gram[m.v + (j + 3u) * m.kv + e] = r3; }
      }
    }
    storageBarrier();
    // The 4 x 4 is written now that nobody reads it as it was: M^-1 left of the pivots, the upper triangle from them on.
    if (lid.x == 0u) {
      gram[m.v + j * m.kv + b] = vec4f(max(u0.x, FLOOR), u0.yzw);
      if (j + 1u < n) { gram[m.v + (j + 1u) * m.kv + b] = vec4f(w1.x, max(u1.y, FLOOR), u1.zw); }
      if (j + 2u < n) { gram[m.v + (j + 2u) * m.kv + b] = vec4f(w2.xy, max(u2.z, FLOOR), u2.w); }
      if (j + 3u < n) { gram[m.v + (j + 3u) * m.kv + b] = vec4f(w3.xyz, max(u3.w, FLOOR)); }
    }
    // Four rows below lose the pivot rows: in the columns of M^-1 up to the pivots, and from their own diagonal on.
    let left = select(b + 1u, 0u, p.factor == 1u);
    let below = blocks - 1u - b;
    for (var t = lid.x; t < below * (left + below); t += WG) {
      let row = b + 1u + t % below;
      let c = t / below;
      let e = select(b + 1u + c - left, c, c < left);
      if (e <= b || e >= row) {
        let i = 4u * row;
        let h0 = gram[m.v + j * m.kv + row] * d0;
        let h1 = gram[m.v + (j + 1u) * m.kv + row] * d1;
        let h2 = gram[m.v + (j + 2u) * m.kv + row] * d2;
        let h3 = gram[m.v + (j + 3u) * m.kv + row] * d3;
        var r0 = w0;
        var r1 = w1;
        var r2 = w2;
        var r3 = w3;
        if (e != b) {
          r0 = gram[m.v + j * m.kv + e];
          r1 = gram[m.v + (j + 1u) * m.kv + e];
          r2 = gram[m.v + (j + 2u) * m.kv + e];
          r3 = gram[m.v + (j + 3u) * m.kv + e];
        }
        for (var q = 0u; q < min(4u, n - i); q++) {
          let at = m.v + (i + q) * m.kv + e;
          let old = select(gram[at], vec4f(), e == b);
          gram[at] = old - h0[q] * r0 - h1[q] * r1 - h2[q] * r2 - h3[q] * r3;
        }
      }
    }
    storageBarrier();
  }
  for (var t = lid.x; t < n * blocks; t += WG) {
    let c = t / blocks;
    let e = t % blocks;
    let d = gram[m.v + c * m.kv + c / 4u][c % 4u];
    let held = gram[m.v + c * m.kv + e];
    let l = select(held, -held, near);
    var x = vec4f();
    for (var q = 0u; q < 4u; q++) {
      let i = 4u * e + q;
      if (i >= n) { break; }
      let scale = columns[m.s + i];
      if (p.factor == 1u) {
        if (i >= c && scale > 0.0) { x[q] = l[q] * inverseSqrt(d) / scale; }
      } else if (i <= c) {
        x[q] = select(l[q], 1.0, i == c) * inverseSqrt(d) * scale;
      }
    }
    result[first_of(m, p.out) + c * m.kv + e] = select(x, vec4f(), p.drop == 1u && d <= FLOOR);
  }
}
