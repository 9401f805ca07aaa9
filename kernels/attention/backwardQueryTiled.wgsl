// attention/backwardQueryTiled: dQ = scale * dS K,  dS = P o (dP - D),  P = exp(S - lse),  dP = dO V^T,  D = rowsum(dO o O)
//   The same sums as backwardQuery.wgsl, for graphics cards; D is stored for backwardKey. Rows of dQ from TQ on become zero.
//   See tiles.wgsl for the blocks, access.wgsl for read_* and write_*
// Shapes, row-major: qkv, d_qkv (B, T, 3C) (only the q columns of d_qkv are written)  out, d_out (B, TQ, C)
//   lse, delta (B, NH, TQ)
// Grid: workgroup per ROWS rows of one head, folded into y; columns are keys
// Precision: f32, fixed order, no atomics
// Source: FlashAttention, arXiv 2205.14135, Alg. 4
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> output: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> d_out: array<${TYPE}>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_qkv: array<${TYPE}>;

@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) index: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  begin(index);
  let blocks = (p.tokens + ROWS - 1u) / ROWS;
  let id = wid.x + wid.y * groups.x;
  let inside = id < blocks * p.heads * p.batch;
  let row_limit = select(0u, p.queries, inside);
  let first = (id % blocks) * ROWS;
  // A block without queries has nothing to sum and only writes its zeros.
  let key_limit = select(0u, p.tokens, first < row_limit);
  let bh = min(id / blocks, p.heads * p.batch - 1u);
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
  let g_base = b * p.queries * channels + h * HS;
  let last = p.tokens - 1u;
  let row = min(vec4u(first + 4u * ty) + FOUR, vec4u(p.queries - 1u));
  let at = q_base + row * pitch;
  let g_at = g_base + row * channels;
  let places = bh * p.queries + row;
  let shift = vec4f(lse[places.x], lse[places.y], lse[places.z], lse[places.w]);
  if (sy < RG) {
    let own = g_base + min(vec4u(first + 4u * sy) + FOUR, vec4u(p.queries - 1u)) * channels;
    var part = vec4f();
//#for i 4
    part[${i}] = dot(read_d_out(own[${i}], sx), read_output(own[${i}], sx));
//#end
    partials[sy * Q + sx] = part;
  }
  workgroupBarrier();
  var deltas = vec4f();
  if (ty < RG) {
    for (var d = 0u; d < Q; d++) { deltas += partials[ty * Q + d]; }
  }
  var dq = mat4x4f();
  for (var key = 0u; key < key_limit; key += COLUMNS) {
    var w = scores_qkv_qkv(at, k_base, pitch, key, last);
    let dp = scores_d_out_qkv(g_at, k_base + channels, pitch, key, last);
    let valid = vec4u(key + 4u * tx) + FOUR <= vec4u(last);
    workgroupBarrier();
    if (ty < RG) {
//#for i 4
      w[${i}] = select(vec4f(), exp(w[${i}] * p.scale - shift[${i}]) * (dp[${i}] - deltas[${i}]), valid);
//#end
      store_weights(w);
    }
    workgroupBarrier();
    dq = add_qkv(dq, k_base, pitch, key, last);
  }
  if (inside && sy < RG) {
//#for i 4
    {
      let own = first + 4u * sy + ${i}u;
      if (own < p.tokens) { write_d_qkv(q_base + own * pitch, sx, select(vec4f(), dq[${i}] * p.scale, own < row_limit)); }
    }
//#end
  }
  if (ty < RG && tx == 0u) {
//#for i 4
    if (first + 4u * ty + ${i}u < row_limit) { delta[bh * p.queries + first + 4u * ty + ${i}u] = deltas[${i}]; }
//#end
  }
}
