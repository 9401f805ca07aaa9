// attention/backwardQueryTiled: dQ = scale * dS K,  dS = P o (dP - D),  P = exp(S - lse),  dP = dO V^T,  D = rowsum(dO o O)
//   The same sums as backwardQuery.wgsl, for graphics cards; D is stored for backwardKey. Rows of dQ from TQ on become zero.
// Shapes, row-major f32: qkv, d_qkv (B, T, 3C) (only the q columns of d_qkv are written)  out, d_out (B, TQ, C)
//   lse, delta (B, NH, TQ)
// Grid: workgroup of 8 x 8 threads per 32 rows of one head, folded into y; tiles as in forwardTiled.wgsl
// D0, D1: the two of 16 dimensions a thread owns; in half precision neighbours, since they share a word. load_*: see loadTiled.wgsl
// Precision: f32, fixed order, no atomics
// Source: FlashAttention, arXiv 2205.14135, Alg. 4
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${WORD}>;
@group(0) @binding(2) var<storage, read> output: array<${WORD}>;
@group(0) @binding(3) var<storage, read> d_out: array<${WORD}>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_qkv: array<${WORD}>;
const HS = ${HS}u;
var<workgroup> left: array<f32, 544>;
var<workgroup> right: array<f32, 544>;
var<workgroup> left_g: array<f32, 544>;
var<workgroup> right_v: array<f32, 544>;
var<workgroup> weights: array<f32, 1056>;
var<workgroup> partials: array<f32, 256>;

fn chunk(base: u32, pitch: u32, row: u32, limit: u32, dim: u32) -> f32 {
  if (row < limit && dim < HS) { return load_qkv(base + row * pitch + dim); }
  return 0.0;
}
fn gradient(base: u32, pitch: u32, row: u32, limit: u32, dim: u32) -> f32 {
  if (row < limit && dim < HS) { return load_d_out(base + row * pitch + dim); }
  return 0.0;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (p.tokens + 31u) / 32u;
  let id = wid.x + wid.y * groups.x;
  let inside = id < blocks * p.heads * p.batch;
  let row_limit = select(0u, p.queries, inside);
  let first = (id % blocks) * 32u;
  // A tile without queries has nothing to sum and only writes its zeros.
  let key_limit = select(0u, p.tokens, first < row_limit);
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
  let row${i} = first + ty + 8u * ${i}u;
  {
    var sum = 0.0;
    if (row${i} < row_limit) {
      for (var d = tx; d < HS; d += 8u) {
        let at = g_base + row${i} * channels + d;
        sum += load_d_out(at) * load_output(at);
      }
    }
    partials[(ty + 8u * ${i}u) * 8u + tx] = sum;
  }
//#for c NC
  var dq${i}_${c} = vec2f(0.0);
//#end
//#end
  workgroupBarrier();
//#for i 4
  var delta${i} = 0.0;
  for (var k = 0u; k < 8u; k++) { delta${i} += partials[(ty + 8u * ${i}u) * 8u + k]; }
  let lse${i} = lse[bh * p.queries + min(row${i}, p.queries - 1u)];
//#end
  for (var key = 0u; key < key_limit; key += 32u) {
//#for i 4
    var s${i} = vec4f(0.0);
    var dp${i} = vec4f(0.0);
//#end
    for (var dim = 0u; dim < HS; dim += 16u) {
      workgroupBarrier();
      for (var e = local; e < 512u; e += 64u) {
        let r = e / 16u;
        let d = e % 16u;
        left[r * 17u + d] = chunk(q_base, pitch, first + r, row_limit, dim + d);
        left_g[r * 17u + d] = gradient(g_base, channels, first + r, row_limit, dim + d);
        right[r * 17u + d] = chunk(k_base, pitch, key + r, p.tokens, dim + d);
        right_v[r * 17u + d] = chunk(k_base + channels, pitch, key + r, p.tokens, dim + d);
      }
      workgroupBarrier();
      for (var d = 0u; d < 16u; d++) {
        let c = tx * 17u + d;
        let k = vec4f(right[c], right[c + 136u], right[c + 272u], right[c + 408u]);
        let v = vec4f(right_v[c], right_v[c + 136u], right_v[c + 272u], right_v[c + 408u]);
//#for i 4
        s${i} += left[(ty + 8u * ${i}u) * 17u + d] * k;
        dp${i} += left_g[(ty + 8u * ${i}u) * 17u + d] * v;
//#end
      }
    }
    let valid = vec4u(key + tx) + vec4u(0u, 8u, 16u, 24u) < vec4u(p.tokens);
//#for i 4
    {
      let ds = select(vec4f(0.0), exp(s${i} * p.scale - lse${i}) * (dp${i} - delta${i}), valid);
      let at = (ty + 8u * ${i}u) * 33u + tx;
      weights[at] = ds.x;
      weights[at + 8u] = ds.y;
      weights[at + 16u] = ds.z;
      weights[at + 24u] = ds.w;
    }
//#end
//#for c NC
    workgroupBarrier();
    for (var e = local; e < 512u; e += 64u) {
      right[(e / 16u) * 17u + e % 16u] = chunk(k_base, pitch, key + e / 16u, p.tokens, ${c}u * 16u + e % 16u);
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let v = vec2f(right[k * 17u + ${D0}], right[k * 17u + ${D1}]);
//#for i 4
      dq${i}_${c} += weights[(ty + 8u * ${i}u) * 33u + k] * v;
//#end
    }
//#end
  }
//#for i 4
  if (inside && row${i} < p.tokens) {
    let at = q_base + row${i} * pitch;
    let live = row${i} < row_limit;
//#for c NC
    {
      let value = select(vec2f(0.0), dq${i}_${c} * p.scale, live);
//#for once PLAIN
      if (${c}u * 16u + tx < HS) { d_qkv[at + ${c}u * 16u + tx] = value.x; }
      if (${c}u * 16u + tx + 8u < HS) { d_qkv[at + ${c}u * 16u + tx + 8u] = value.y; }
//#end
//#for once HALVES
      if (${c}u * 16u + 2u * tx < HS) { d_qkv[(at + ${c}u * 16u) / 2u + tx] = pack_pair(value); }
//#end
    }
//#end
    if (live && tx == 0u) { delta[bh * p.queries + row${i}] = delta${i}; }
  }
//#end
}
