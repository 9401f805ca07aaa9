// svd/random: counter-based normal deviates; the same (seed, refresh, column, row) always gives the same number.
// Source: PCG-RXS-M-XS output permutation (O'Neill 2014) as a hash; Box-Muller.
fn hash_u32(x: u32) -> u32 {
  let s = x * 747796405u + 2891336453u;
  let w = ((s >> ((s >> 28u) + 4u)) ^ s) * 277803737u;
  return (w >> 22u) ^ w;
}
fn normal_pair(a: u32, b: u32) -> vec2f {
  let h = hash_u32(a ^ hash_u32(b));
  let g = hash_u32(h ^ 0x9e3779b9u);
  // 24 bits, shifted off zero so that the logarithm is finite.
  let u = (f32(h >> 8u) + 0.5) * 5.9604645e-8;
  let r = sqrt(-2.0 * log(u));
  let t = 6.2831853 * f32(g >> 8u) * 5.9604645e-8;
  return r * vec2f(cos(t), sin(t));
}
// Four entries of column c, rows 4e .. 4e+3; rows at or past `rows` are zero.
fn normal_column(seed: u32, c: u32, e: u32, rows: u32) -> vec4f {
  let key = hash_u32(seed ^ hash_u32(c));
  let x = vec4f(normal_pair(key, 2u * e), normal_pair(key, 2u * e + 1u));
  return select(vec4f(), x, vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u) < vec4u(rows));
}
