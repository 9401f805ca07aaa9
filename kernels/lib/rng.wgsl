// rng: random numbers as a pure function of (seed, stream, counter): pcg3d of Jarzynski and Olano, "Hash Functions for
//   GPU Rendering", JCGT 9(3), 2020 (an LCG step on each word, then rounds of cross multiplication with a shift between),
//   with three rounds: after two, bits of neighbouring counters are related by tens of standard deviations.
//   No state: any thread draws any number, and the order of evaluation cannot change a run.
// Integers and rng_uniform are bit for bit those of kernels/rng.ts. rng_normal is not: log, sqrt and cos differ per device.
fn rng_u32(seed: u32, stream: u32, counter: u32) -> u32 {
  var v = vec3u(seed, stream, counter) * 1664525u + 1013904223u;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  for (var round = 1u; round < 3u; round++) {
    v ^= v >> vec3u(16u);
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
  }
  return v.z;
}

// [0, 1) in steps of 2^-24: exactly representable, never rounded up to 1.
fn rng_uniform(bits: u32) -> f32 {
  return f32(bits >> 8u) * 5.9604644775390625e-8;
}

// Two independent standard normals, Box-Muller; the first uniform lies in (0, 1] so that its logarithm is finite.
fn rng_normal(seed: u32, stream: u32, counter: u32) -> vec2f {
  let u = f32((rng_u32(seed, stream, 2u * counter) >> 8u) + 1u) * 5.9604644775390625e-8;
  let angle = 6.2831853071795865 * rng_uniform(rng_u32(seed, stream, 2u * counter + 1u));
  return sqrt(-2.0 * log(u)) * vec2f(cos(angle), sin(angle));
}
