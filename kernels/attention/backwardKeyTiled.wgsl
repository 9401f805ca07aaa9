// attention/backwardKeyTiled: dV = P^T dO,  dK = scale * dS^T Q,  P = exp(S - lse),  dS = P o (dO V^T - D)
//   The same sums as backwardKey.wgsl, for graphics cards; D = delta comes from backwardQueryTiled, which runs before
//   See tiles.wgsl for the blocks, access.wgsl for read_* and write_*
// Shapes, row-major: qkv, d_qkv (B, T, 3C) (only the k and v columns of d_qkv are written)  d_out (B, TQ, C)
//   lse, delta (B, NH, TQ)
// Grid: workgroup per ROWS keys of one head, folded into y; columns are queries
// Precision: f32, fixed order, no atomics
// Source: FlashAttention, arXiv 2205.14135, Alg. 4
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> d_out: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_qkv: array<${TYPE}>;

@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) index: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  begin(index);
  let blocks = (p.tokens + ROWS - 1u) / ROWS;
  let id = wid.x + wid.y * groups.x;
  let row_limit = select(0u, p.tokens, id < blocks * p.heads * p.batch);
  let first = (id % blocks) * ROWS;
  let bh = min(id / blocks, p.heads * p.batch - 1u);
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
  let g_base = b * p.queries * channels + h * HS;
  let last = p.queries - 1u;
  let at = k_base + min(vec4u(first + 4u * ty) + FOUR, vec4u(p.tokens - 1u)) * pitch;
  var dk = mat4x4f();
  var dv = mat4x4f();
  for (var query = 0u; query < p.queries; query += COLUMNS) {
    var w = scores_qkv_qkv(at, q_base, pitch, query, last);
    var ds = scores_qkv_d_out(at + channels, g_base, channels, query, last);
    workgroupBarrier();
    if (ty < RG) {
      let column = vec4u(query + 4u * tx) + FOUR;
      let valid = column <= vec4u(last);
      let places = bh * p.queries + min(column, vec4u(last));
      let shift = vec4f(lse[places.x], lse[places.y], lse[places.z], lse[places.w]);
      let deltas = vec4f(delta[places.x], delta[places.y], delta[places.z], delta[places.w]);
//#for i 4
      w[${i}] = select(vec4f(), exp(w[${i}] * p.scale - shift), valid);
      ds[${i}] = w[${i}] * (ds[${i}] - deltas);
//#end
      store_weights(w);
    }
    workgroupBarrier();
    dv = add_d_out(dv, g_base, channels, query, last);
    workgroupBarrier();
    if (ty < RG) { store_weights(ds); }
    workgroupBarrier();
    dk = add_qkv(dk, q_base, pitch, query, last);
  }
  if (sy < RG) {
//#for i 4
    if (first + 4u * sy + ${i}u < row_limit) {
      let own = k_base + (first + 4u * sy + ${i}u) * pitch;
      write_d_qkv(own, sx, dk[${i}] * p.scale);
      write_d_qkv(own + channels, sx, dv[${i}]);
    }
//#end
  }
}
