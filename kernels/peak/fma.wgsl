// peak/fma: as many multiply-adds as the device can do: TILE independent vec4 accumulators of each invocation, all in registers,
//   a <- a x + y, UNROLL times per turn. x and y come from the params, so that nothing can be computed ahead; with |x| < 1 the
//   values go to y / (1 - x) and stay finite and normal. Operations: 8 TILE UNROLL turns per invocation.
// Shapes: out (invocations) f32, the sum of the accumulators, so that none is left out
// Grid: WG invocations per workgroup, a line of workgroups. Precision: f32
struct Params { turns: u32, x: f32, y: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4f(p.x);
  let y = vec4f(p.y);
  let seed = f32(id.x & 63u) * 0.015625;
  //#for I TILE
  var a${I} = vec4f(seed + ${I}.0, seed + ${I}.25, seed + ${I}.5, seed + ${I}.75);
  //#end
  for (var turn = 0u; turn < p.turns; turn++) {
    //#for U UNROLL
    //#for I TILE
    a${I} = fma(a${I}, x, y);
    //#end
    //#end
  }
  var sum = vec4f();
  //#for I TILE
  sum += a${I};
  //#end
  sums[id.x] = sum.x + sum.y + sum.z + sum.w;
}
