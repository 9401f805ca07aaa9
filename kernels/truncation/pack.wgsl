// truncation/pack: W ~ left^T right, the two thin factors of a truncated matrix by rows, a row for each singular value
//   right_i = v_i,  left_i = sigma_i u_i for i < rank, else 0
//   Rows past the rank are there so that products may run over a multiple of four; the zeros of left keep them out.
// Shapes, f32: sigma (k)  factors: U and V as in svd/place  out: right (padded, cols), left (padded, rows), row-major
//   places: first element of right and of left, rank, padded = k rounded up to a multiple of four
// Grid: thread per four elements of a row, x folded over (row, element), y = matrix. Precision: f32, one product
// Source: arXiv 2511.04485, section 5: layers are truncated to their best rank-r factors
struct Place { right: u32, left: u32, rank: u32, padded: u32 }
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> sigma: array<f32>;
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read> places: array<Place>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let m = table[wid.y];
  let place = places[wid.y];
  let quads_right = (m.cols + 3u) / 4u;
  let quads = quads_right + (m.rows + 3u) / 4u;
  let t = wid.x * WG + lid.x;
  let i = t / quads;
  if (i >= place.padded) { return; }
  let q = t % quads;
  let is_left = q >= quads_right;
  // A = W when rows >= cols: then the long columns U belong to the left factor, else to the right one.
  let is_long = is_left == (m.transposed == 0u);
  let first = 4u * select(m.v_at + i * m.kv, m.u_at + i * m.pv, is_long);
  let length = select(m.cols, m.rows, is_left);
  let at = select(place.right, place.left, is_left) + i * length;
  let known = i < m.k && (!is_left || i < place.rank);
  let scale = select(1.0, sigma[m.s + min(i, m.k - 1u)], is_left);
  let begin = 4u * select(q, q - quads_right, is_left);
  for (var e = begin; e < min(begin + 4u, length); e++) {
    var value = 0.0;
    if (known) { value = scale * factors[first + e]; }
    out[at + e] = value;
  }
}
