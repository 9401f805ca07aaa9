// gradNorm/partial: partials[t] = sum of squares of the elements that thread t visits; gradNorm/finalize adds them up.
//   No workgroup memory: a fixed assignment of elements to threads is as deterministic as a tree, needs no barrier
//   (dear on software adapters), and keeps each sum short, so rounding stays near sqrt(n / threads) ulp.
//   Squares pass the range of f32 at |g| = 1.8e19, where Adam's g^2 does, too: such a norm counts as not finite.
// Shapes: grads (4 n4) f32, padding zero  partials (threads) f32
// Grid: `threads` threads in workgroups of WG, each striding by all of them. Precision: f32, rtol 1e-6
struct Params {
  n4: u32,
  threads: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> grads: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.threads) { return; }
  var sum = vec4f(0.0);
  for (var i = id.x; i < p.n4; i += p.threads) {
    let g = grads[i];
    sum += g * g;
  }
  partials[id.x] = (sum.x + sum.y) + (sum.z + sum.w);
}
