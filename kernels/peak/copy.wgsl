// peak/copy: out <- in, vec4 by vec4: a stream of reads and as many writes. Bytes moved: 32 n4.
// Shapes: input, out (4 n4) f32; n4 is a multiple of UNROLL times the invocations, which saves every test but the loop's
// Grid: the invocations go over the array together, neighbours side by side. Precision: bitwise
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let stride = groups.x * WG;
  for (var i = id.x; i < p.n4; i += stride * ${UNROLL}u) {
    //#for U UNROLL
    let v${U} = input[i + stride * ${U}u];
    //#end
    //#for U UNROLL
    out[i + stride * ${U}u] = v${U};
    //#end
  }
}
