// Moments of Adam and the step they ask for, in units of the learning rate: shared by the kernels of this folder, which bind `state`.
//   m += (1 - beta1)(g - m),  v += (1 - beta2)(g^2 - v),  step = (m / correction1) / (sqrt(v / correction2) + eps)
// As increments: with 1 - beta exact, a constant gradient is a fixed point, however beta itself was rounded.
fn adam_step(g: vec4f, m: ptr<function, vec4f>, v: ptr<function, vec4f>) -> vec4f {
  *m += (1.0 - state.beta1) * (g - *m);
  *v += state.one_minus_beta2 * (g * g - *v);
  return (*m / state.correction1) / (sqrt(*v / state.correction2) + state.adam_eps);
}
