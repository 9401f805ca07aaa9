// attentionMap/headMean: the T x T attention weights of every query, averaged over the heads
//   mean_qk = 1/NH sum_h e^(S_hqk - lse_hq),  S_hqk = q_h . k_h / sqrt(HS)
//   Rows sum to one because lse is the forward pass's own.
// Shapes, row-major f32: qkv (B, T, 3C) with columns [q|k|v], each [head][HS]  lse (B, NH, TQ)  mean (B, TQ, T)
//   In half precision (see lib/halves.wgsl) qkv is read in fours: WIDTH; HS is a multiple of 4 then.
// Grid: thread per entry of mean, folded into y. Precision: f32; exp turns the rounding of S, 2^-24 |S|, into a relative error
// Source: the average that attention rollout takes over heads, arXiv 2005.00928, section 3
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, head_size: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.batch * p.queries * p.tokens) { return; }
  let key = i % p.tokens;
  let q = (i / p.tokens) % p.queries;
  let b = i / (p.tokens * p.queries);
  let size = p.head_size / ${WIDTH}u;
  let channels = p.heads * size;
  let q_at = (b * p.tokens + q) * 3u * channels;
  let k_at = (b * p.tokens + key) * 3u * channels + channels;
  var sum = 0.0;
  for (var h = 0u; h < p.heads; h++) {
    var score = 0.0;
    for (var d = h * size; d < (h + 1u) * size; d++) {
      score += ${SUM_A}${UNPACK}(qkv[q_at + d]) * p.scale * ${UNPACK}(qkv[k_at + d])${SUM_Z};
    }
    sum += exp(score - lse[(b * p.heads + h) * p.queries + q]);
  }
  mean[i] = sum / f32(p.heads);
}
