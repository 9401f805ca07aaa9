// factorize/product: out = alpha op(A) op(B) for a list of small products at once
//   out_ij = alpha sum_l A(i, l) B(l, j);  A(i, l) = a[at + i row + l col], so that a transposed operand is a pair of strides
//   Operands start anywhere: parts of a fused weight, and factors of rank r, are aligned to nothing.
// Shapes: a, b, out: f32 arenas; out (m, n) row-major
// Grid: thread per 4 x 8 of out, x folded over the tiles, y = product. Precision: f32, sums in the order of l
// Source: ours
struct Params { first: u32 }
struct Product {
  a: u32, a_row: u32, a_col: u32,
  b: u32, b_row: u32, b_col: u32,
  out: u32,
  m: u32, n: u32, k: u32,
  alpha: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> products: array<Product>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let q = products[p.first + wid.y];
  let across = (q.n + 7u) / 8u;
  let t = wid.x * WG + lid.x;
  let r0 = 4u * (t / across);
  let c0 = 8u * (t % across);
  if (r0 >= q.m) { return; }
  // Past the edge the last row or column is read again; what comes of it is not stored.
  //#for i 4
  var a${i} = q.a + min(r0 + ${i}u, q.m - 1u) * q.a_row;
  var x${i} = vec4f();
  var y${i} = vec4f();
  //#end
  //#for j 8
  var b${j} = q.b + min(c0 + ${j}u, q.n - 1u) * q.b_col;
  //#end
  for (var l = 0u; l < q.k; l++) {
    let left = vec4f(b[b0], b[b1], b[b2], b[b3]);
    let right = vec4f(b[b4], b[b5], b[b6], b[b7]);
    //#for i 4
    let f${i} = vec4f(a[a${i}]);
    x${i} = fma(f${i}, left, x${i});
    y${i} = fma(f${i}, right, y${i});
    a${i} += q.a_col;
    //#end
    //#for j 8
    b${j} += q.b_row;
    //#end
  }
  let last = q.n - c0;
  //#for i 4
  if (r0 + ${i}u < q.m) {
    let at = q.out + (r0 + ${i}u) * q.n + c0;
    //#for j 4
    if (${j}u < last) { out[at + ${j}u] = q.alpha * x${i}[${j}]; }
    if (4u + ${j}u < last) { out[at + 4u + ${j}u] = q.alpha * y${i}[${j}]; }
    //#end
  }
  //#end
}
