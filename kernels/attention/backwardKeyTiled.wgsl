// attention/backwardKeyTiled: dV = P^T dO,  dK = scale * dS^T Q,  P = exp(S - lse),  dS = P o (dO V^T - D)
//   The same sums as backwardKey.wgsl, for graphics cards; D = delta comes from backwardQueryTiled, which runs before
// Shapes, row-major f32: qkv, d_qkv (B, T, 3C) (only the k and v columns of d_qkv are written)  d_out (B, TQ, C)
//   lse, delta (B, NH, TQ)
// Grid: workgroup of 8 x 8 threads per 32 keys of one head, folded into y; rows of a tile are keys, columns queries
// D0, D1: the two of 16 dimensions a thread owns; in half precision neighbours, since they share a word. load_*: see loadTiled.wgsl
// Precision: f32, fixed order, no atomics
// Source: FlashAttention, arXiv 2205.14135, Alg. 4
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${WORD}>;
@group(0) @binding(2) var<storage, read> d_out: array<${WORD}>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_qkv: array<${WORD}>;
const HS = ${HS}u;
var<workgroup> left: array<f32, 544>;
var<workgroup> right: array<f32, 544>;
var<workgroup> left_v: array<f32, 544>;
var<workgroup> right_g: array<f32, 544>;
var<workgroup> weights: array<f32, 1056>;

fn chunk(base: u32, pitch: u32, row: u32, limit: u32, dim: u32) -> f32 {
  if (row < limit && dim < HS) { return load_qkv(base + row * pitch + dim); }
  return 0.0;
}
fn gradient(base: u32, pitch: u32, row: u32, limit: u32, dim: u32) -> f32 {
  if (row < limit && dim < HS) { return load_d_out(base + row * pitch + dim); }
  return 0.0;
}
fn put(at: u32, w: vec4f) {
  weights[at] = w.x;
  weights[at + 8u] = w.y;
  weights[at + 16u] = w.z;
  weights[at + 24u] = w.w;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (p.tokens + 31u) / 32u;
  let id = wid.x + wid.y * groups.x;
  let row_limit = select(0u, p.tokens, id < blocks * p.heads * p.batch);
  let first = (id % blocks) * 32u;
  let bh = min(id / blocks, p.heads * p.batch - 1u);
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
  let g_base = b * p.queries * channels + h * HS;
  let tx = local % 8u;
  let ty = local / 8u;
//#for i 4
//#for c NC
  var dk${i}_${c} = vec2f(0.0);
  var dv${i}_${c} = vec2f(0.0);
//#end
//#end
  for (var query = 0u; query < p.queries; query += 32u) {
//#for i 4
    var s${i} = vec4f(0.0);
    var dp${i} = vec4f(0.0);
//#end
    for (var dim = 0u; dim < HS; dim += 16u) {
      workgroupBarrier();
      for (var e = local; e < 512u; e += 64u) {
        let r = e / 16u;
        let d = e % 16u;
        left[r * 17u + d] = chunk(k_base, pitch, first + r, row_limit, dim + d);
        left_v[r * 17u + d] = chunk(k_base + channels, pitch, first + r, row_limit, dim + d);
        right[r * 17u + d] = chunk(q_base, pitch, query + r, p.queries, dim + d);
        right_g[r * 17u + d] = gradient(g_base, channels, query + r, p.queries, dim + d);
      }
      workgroupBarrier();
      for (var d = 0u; d < 16u; d++) {
        let c = tx * 17u + d;
        let q = vec4f(right[c], right[c + 136u], right[c + 272u], right[c + 408u]);
        let g = vec4f(right_g[c], right_g[c + 136u], right_g[c + 272u], right_g[c + 408u]);
//#for i 4
        s${i} += left[(ty + 8u * ${i}u) * 17u + d] * q;
        dp${i} += left_v[(ty + 8u * ${i}u) * 17u + d] * g;
//#end
      }
    }
    let at = vec4u(query + tx) + vec4u(0u, 8u, 16u, 24u);
    let valid = at < vec4u(p.queries);
    let places = bh * p.queries + min(at, vec4u(p.queries - 1u));
    let shift = vec4f(lse[places.x], lse[places.y], lse[places.z], lse[places.w]);
    let deltas = vec4f(delta[places.x], delta[places.y], delta[places.z], delta[places.w]);
//#for i 4
    let w${i} = select(vec4f(0.0), exp(s${i} * p.scale - shift), valid);
    put((ty + 8u * ${i}u) * 33u + tx, w${i});
//#end
//#for c NC
    workgroupBarrier();
    for (var e = local; e < 512u; e += 64u) {
      right[(e / 16u) * 17u + e % 16u] = gradient(g_base, channels, query + e / 16u, p.queries, ${c}u * 16u + e % 16u);
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let v = vec2f(right[k * 17u + ${D0}], right[k * 17u + ${D1}]);
//#for i 4
      dv${i}_${c} += weights[(ty + 8u * ${i}u) * 33u + k] * v;
//#end
    }
//#end
    workgroupBarrier();
//#for i 4
    put((ty + 8u * ${i}u) * 33u + tx, w${i} * (dp${i} - deltas));
//#end
//#for c NC
    workgroupBarrier();
    for (var e = local; e < 512u; e += 64u) {
      right[(e / 16u) * 17u + e % 16u] = chunk(q_base, pitch, query + e / 16u, p.queries, ${c}u * 16u + e % 16u);
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let v = vec2f(right[k * 17u + ${D0}], right[k * 17u + ${D1}]);
//#for i 4
      dk${i}_${c} += weights[(ty + 8u * ${i}u) * 33u + k] * v;
//#end
    }
//#end
  }
//#for i 4
  {
    let row = first + ty + 8u * ${i}u;
    if (row < row_limit) {
      let at = k_base + row * pitch;
//#for c NC
//#for once PLAIN
      if (${c}u * 16u + tx < HS) {
        d_qkv[at + ${c}u * 16u + tx] = dk${i}_${c}.x * p.scale;
        d_qkv[at + channels + ${c}u * 16u + tx] = dv${i}_${c}.x;
      }
      if (${c}u * 16u + tx + 8u < HS) {
        d_qkv[at + ${c}u * 16u + tx + 8u] = dk${i}_${c}.y * p.scale;
        d_qkv[at + channels + ${c}u * 16u + tx + 8u] = dv${i}_${c}.y;
      }
//#end
//#for once HALVES
      if (${c}u * 16u + 2u * tx < HS) {
        d_qkv[(at + ${c}u * 16u) / 2u + tx] = pack_pair(dk${i}_${c} * p.scale);
        d_qkv[(at + channels + ${c}u * 16u) / 2u + tx] = pack_pair(dv${i}_${c});
      }
//#end
//#end
    }
  }
//#end
}
