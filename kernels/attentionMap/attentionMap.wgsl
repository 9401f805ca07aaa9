// attentionMap: what queries pay attention to, the T x T weights that attention/forward never stores, for some of its rows
//   map_k = 1/COUNT sum_q e^(S_qk - lse_q),  S_qk = q . k / sqrt(HS),  q from first to first + COUNT
//   One query gives a row of the softmax; several give their mean. Rows sum to one because lse is the forward pass's own.
// Shapes, row-major f32: qkv (B, T, 3C) with columns [q|k|v], each [head][HS]  lse (B, NH, TQ)  map (B, NH, T)
//   In half precision (see lib/halves.wgsl) qkv is read in fours: WIDTH; HS is a multiple of 4 then.
// Grid: thread per entry of map, folded into y. Precision: f32; exp turns the rounding of S, 2^-24 |S|, into a relative error
// Source: the log-sum-exp of online softmax, arXiv 1805.02867
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, head_size: u32, first: u32, count: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> map: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.batch * p.heads * p.tokens) { return; }
  let key = i % p.tokens;
  let bh = i / p.tokens;
  let h = bh % p.heads;
  let b = bh / p.heads;
  let size = p.head_size / ${WIDTH}u;
  let channels = p.heads * size;
  let head = b * p.tokens * 3u * channels + h * size;
  let k_at = head + key * 3u * channels + channels;
  var sum = 0.0;
  for (var q = p.first; q < p.first + p.count; q++) {
    let q_at = head + q * 3u * channels;
    var score = 0.0;
    for (var d = 0u; d < size; d++) { score += ${SUM_A}${UNPACK}(qkv[q_at + d]) * p.scale * ${UNPACK}(qkv[k_at + d])${SUM_Z}; }
    sum += exp(score - lse[bh * p.queries + q]);
  }
  map[i] = sum / f32(p.count);
}
