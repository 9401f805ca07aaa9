// svd/rotation: the plane rotation of two columns of norms^2 a, b and inner product ab
// Precision: f32. Source: Rutishauser 1966, rotation by tan(theta/2)
// A column whose square underflows is zero for f32 beside max |A| of at least 1.
fn cosine(a: f32, b: f32, ab: f32) -> f32 {
  let norms = sqrt(a) * sqrt(b);
  return select(0.0, abs(ab) / max(norms, 1e-30), norms > 1e-30);
}

// (sin, sin tan(theta/2)) that zeroes ab, or nothing where rounding is all there is to turn.
fn rotation(a: f32, b: f32, ab: f32) -> vec2f {
  let turned = cosine(a, b, ab) > 6e-8;
  let zeta = (b - a) / (2.0 * select(1.0, ab, turned));
  let t = select(-1.0, 1.0, zeta >= 0.0) / (abs(zeta) + sqrt(fma(zeta, zeta, 1.0)));
  // tan(theta/2) first: sin = 2 tau / (1 + tau^2) keeps the rotation orthogonal to rounding of sin alone.
  let tau = t / (1.0 + sqrt(fma(t, t, 1.0)));
  let s = 2.0 * tau / fma(tau, tau, 1.0);
  return select(vec2f(), vec2f(s, s * tau), turned);
}
