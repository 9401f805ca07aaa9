// gelu/backward: grad <- grad * gelu'(pre), pre <- gelu(pre),  gelu(x) = x Phi(x),  gelu'(x) = Phi(x) + x phi(x)
//   The second product of the MLP reads gelu(pre) for its weight gradient, and nobody needs pre any more.
//   Phi by the erf of lib/erf.wgsl, prepended; the forward pass is an epilogue of the matrix product
// Shapes, f32: pre, grad (count); HALVES: in half precision, see lib/halves.wgsl, count a multiple of 4
// Grid: 4 elements per thread, WG apart, or of halves four neighbours; workgroups folded into y. Precision: f32, erf within 1e-6
struct Params { count: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> pre: array<${TYPE}>;
@group(0) @binding(2) var<storage, read_write> grad: array<${TYPE}>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
//#for plain PLAIN
  let first = (wid.x + wid.y * groups.x) * WG * 4u + local;
  for (var k = 0u; k < 4u; k++) {
    let i = first + k * WG;
    if (i < p.count) {
      let both = gelu_slope(pre[i]);
      grad[i] *= both.y;
      pre[i] = both.x;
    }
  }
//#end
//#for halves HALVES
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.count / 4u) { return; }
  let z = unpack_halves(pre[i]);
  let a = gelu_slope(z.x);
  let b = gelu_slope(z.y);
  let c = gelu_slope(z.z);
  let d = gelu_slope(z.w);
  grad[i] = pack_halves(unpack_halves(grad[i]) * vec4f(a.y, b.y, c.y, d.y));
  pre[i] = pack_halves(vec4f(a.x, b.x, c.x, d.x));
//#end
}
