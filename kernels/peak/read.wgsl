// peak/read: sums[t] <- sum of the elements that invocation t meets: a stream of reads alone. Bytes moved: 16 n4.
// Shapes: input (4 n4) f32, sums (invocations) f32; n4 is a multiple of UNROLL times the invocations, as for copy
// Grid: the invocations go over the array together, neighbours side by side. Precision: f32
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let stride = groups.x * WG;
  var sum = vec4f();
  for (var i = id.x; i < p.n4; i += stride * ${UNROLL}u) {
    //#for U UNROLL
    sum += input[i + stride * ${U}u];
    //#end
  }
  sums[id.x] = sum.x + sum.y + sum.z + sum.w;
}
