// svd/common: what every kernel of the batched SVD and of the Q3R operator knows of a matrix. Mirrors kernels/svd/table.ts.
//   A = W when rows >= cols, else W^T: p x k with p >= k, scaled by a power of two so that max |A| is in [1, 2).
//   Ranges are columns, each contiguous and zero-padded to whole vec4s: long columns take pv vec4s, short ones kv.
// Source: the layout is ours; the mathematics is in the kernels.
struct Matrix {
  w: u32,           // first element of W in the parameter arena
  rows: u32,
  cols: u32,
  p: u32,           // long side
  k: u32,           // short side
  transposed: u32,  // 1: A = W^T
  pv: u32,          // ceil(p / 4)
  kv: u32,          // ceil(k / 4)
  y: u32,           // first vec4 of its long ranges (A and Y)
  v: u32,           // first vec4 of its short ranges (V at work, Gram, its inverse factor)
  u_at: u32,        // first vec4 of U in the factor buffer
  v_at: u32,        // first vec4 of V in the factor buffer
  s: u32,           // first element of its per-column ranges (sigma, ...)
  rank: u32,        // target rank
  sketch: u32,      // columns wanted, at most k
  seed: u32,
  gain: f32,        // multiplies lambda of whatever acts on it
  kept: u32,        // columns of U and V that outlast a refresh, from the first on
}

struct State {
  live: u32,        // kernels skip a matrix where it is 0
  converged: u32,   // Jacobi has nothing left to do
  ell: u32,         // columns at work
  known: u32,       // columns of V in the factor buffer that hold something
  full: u32,        // 1: all k right vectors are known, no range to find
  sweeps: u32,      // Jacobi sweeps of this refresh
  refreshes: u32,   // committed refreshes
  envelope: u32,    // number of sigma > epsilon
  flag: u32,        // 1 sketch too small, 2 subspace too coarse, 4 Jacobi unfinished, 8 begun from nothing
  scale: f32,       // W = scale * A
  norm2: f32,       // |A|_F^2
  epsilon: f32,
  epsilon0: f32,    // of the linear schedule
  off: f32,         // largest |cos| between two columns met in the last sweep
  residual: f32,    // |A^T U - V S|_F / |A|_F over the kept triplets
  eta: f32,         // first-order estimate of the relative error of R(W)
  edge: f32,        // sigma at the end of the wanted sketch over epsilon; 0 when the sketch is everything
}

const LONG = 0u;    // kinds of ranges: A and Y,
const SHORT = 1u;   // V at work, Gram and its inverse factor,
const LEFT = 2u;    // U and
const RIGHT = 3u;   // V in the factor buffer

// 2^floor(log2 x) for x >= 0, kept off both ends so that it and its reciprocal are normal numbers; 1 for 0.
fn power_of(x: f32) -> f32 {
  let field = (bitcast<u32>(x) >> 23u) & 255u;
  return bitcast<f32>(select(clamp(field, 27u, 227u), 127u, field == 0u) << 23u);
}
fn first_of(m: Matrix, kind: u32) -> u32 {
  switch kind {
    case 0u: { return m.y; }
    case 1u: { return m.v; }
    case 2u: { return m.u_at; }
    default: { return m.v_at; }
  }
}
// Vec4s from one column of a range to the next.
fn height_of(m: Matrix, kind: u32) -> u32 {
  return select(m.kv, m.pv, kind == LONG || kind == LEFT);
}
// Vec4s of a column that a product uses: span LONG, SHORT, or SQUARE for the first ell entries; no more than the range has.
const SQUARE = 2u;
fn span_of(m: Matrix, span: u32, ell: u32) -> u32 {
  return select(select((ell + 3u) / 4u, m.kv, span == SHORT), m.pv, span == LONG);
}
