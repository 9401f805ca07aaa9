// svd/polish: 1.5 I - 0.5 G, the factor of a Newton-Schulz step towards orthonormal columns
// Shapes: gram, inverse: short ranges, ell x ell used
// Grid: thread per vec4, x folded over (e, c), y = matrix. Precision: f32; an error of 1e-3 in G leaves 1e-6
// Source: Bjorck and Bowie 1971, the first-order iteration
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> gram: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> inverse: array<vec4f>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let t = wid.x * WG + lid.x;
  let c = t / m.kv;
  if (c >= state[wid.y].ell) { return; }
  let unit = select(vec4f(), vec4f(1.5), vec4u(4u * (t % m.kv)) + vec4u(0u, 1u, 2u, 3u) == vec4u(c));
  inverse[m.v + t] = unit - 0.5 * gram[m.v + t];
}
