// svd/inner: C = A^T B, inner products of columns: Z = A^T Q and the Gram matrices Y^T Y, V^T V
//   C_ic = A_i . B_c,  i < k or i < ell,  c < ell
// Shapes: columns as in svd/common; A and B of one height, C short
// Grid: thread per 4 x 4 of C, x folded, y = matrix. Precision: f32, rtol 1e-6 of |A_i| |B_c|
// Source: ours
struct Params { a: u32, b: u32, c: u32, all: u32, iterate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read> left: array<vec4f>;
@group(0) @binding(4) var<storage, read> right: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> product: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let s = state[wid.y];
  if (s.live == 0u || (p.iterate == 1u && s.full == 1u)) { return; }
  let count = select(s.ell, m.k, p.all == 1u);
  let row_tiles = (count + 3u) / 4u;
  let t = wid.x * WG + lid.x;
  let row = 4u * (t % row_tiles);
  let col = 4u * (t / row_tiles);
  if (col >= s.ell) { return; }
  let height = height_of(m, p.a);
  let a = first_of(m, p.a);
  let b = first_of(m, p.b);
  //#for i 4
  let a${i} = a + min(row + ${i}u, count - 1u) * height;
  let b${i} = b + min(col + ${i}u, s.ell - 1u) * height;
  var acc${i} = vec4f();
  //#end
  for (var e = 0u; e < height; e++) {
    //#for i 4
    let x${i} = left[a${i} + e];
    //#end
    //#for c 4
    let y${c} = right[b${c} + e];
    acc${c} += vec4f(dot(x0, y${c}), dot(x1, y${c}), dot(x2, y${c}), dot(x3, y${c}));
    //#end
  }
  let out = first_of(m, p.c);
  let inside = vec4u(row) + vec4u(0u, 1u, 2u, 3u) < vec4u(count);
  //#for c 4
  if (col + ${c}u < s.ell) { product[out + (col + ${c}u) * m.kv + row / 4u] = select(vec4f(), acc${c}, inside); }
  //#end
}
