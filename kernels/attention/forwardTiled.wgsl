// attention/forwardTiled: out = softmax(Q K^T / sqrt(HS)) V per head, with online softmax; no T x T matrix is stored
//   The same recurrence as forward.wgsl, for graphics cards: 32 queries against 32 keys at a time in workgroup memory.
// Shapes, row-major f32: qkv (B, T, 3C) with columns [q|k|v], each [head][HS]  out (B, TQ, C)  lse (B, NH, TQ)
//   TQ = queries: the first TQ tokens are queries; keys and values are all T
// Grid: workgroup of 8 x 8 threads per 32 queries of one head, folded into y; a thread owns rows ty + 8i and columns
//   tx + 8j, i, j < 4. Head dimensions pass through memory 16 at a time; pitches 17 and 33 avoid bank conflicts.
// D0, D1: the two of 16 dimensions a thread owns; in half precision neighbours, since they share a word. load_*: see loadTiled.wgsl
// Precision: f32, maximum subtracted
// Source: FlashAttention, arXiv 2205.14135
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${WORD}>;
@group(0) @binding(2) var<storage, read_write> output: array<${WORD}>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
const HS = ${HS}u;
const NEVER = -1e30;  // finite, so that no infinity meets a subtraction
var<workgroup> left: array<f32, 544>;
var<workgroup> right: array<f32, 544>;
var<workgroup> weights: array<f32, 1056>;
var<workgroup> partials: array<f32, 256>;

fn chunk(base: u32, pitch: u32, row: u32, limit: u32, dim: u32) -> f32 {
  if (row < limit && dim < HS) { return load_qkv(base + row * pitch + dim); }
  return 0.0;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (p.queries + 31u) / 32u;
  let id = wid.x + wid.y * groups.x;
  // Workgroups past the end see no valid row: they pass every barrier and store nothing.
  let row_limit = select(0u, p.queries, id < blocks * p.heads * p.batch);
  let first = (id % blocks) * 32u;
  let bh = min(id / blocks, p.heads * p.batch - 1u);
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
  let tx = local % 8u;
  let ty = local / 8u;
//#for i 4
  var m${i} = NEVER;
  var l${i} = 0.0;
//#for c NC
  var o${i}_${c} = vec2f(0.0);
//#end
//#end
  for (var key = 0u; key < p.tokens; key += 32u) {
//#for i 4
    var s${i} = vec4f(0.0);
//#end
    for (var dim = 0u; dim < HS; dim += 16u) {
      workgroupBarrier();
      for (var e = local; e < 512u; e += 64u) {
        let r = e / 16u;
        let d = e % 16u;
        left[r * 17u + d] = chunk(q_base, pitch, first + r, row_limit, dim + d);
        right[r * 17u + d] = chunk(k_base, pitch, key + r, p.tokens, dim + d);
      }
      workgroupBarrier();
      for (var d = 0u; d < 16u; d++) {
        let k = vec4f(right[tx * 17u + d], right[(tx + 8u) * 17u + d], right[(tx + 16u) * 17u + d], right[(tx + 24u) * 17u + d]);
//#for i 4
        s${i} += left[(ty + 8u * ${i}u) * 17u + d] * k;
//#end
      }
    }
    let valid = vec4u(key + tx) + vec4u(0u, 8u, 16u, 24u) < vec4u(p.tokens);
//#for i 4
    s${i} = select(vec4f(NEVER), s${i} * p.scale, valid);
    partials[(ty + 8u * ${i}u) * 8u + tx] = max(max(s${i}.x, s${i}.y), max(s${i}.z, s${i}.w));
//#end
    workgroupBarrier();
//#for i 4
    {
      var top = m${i};
      for (var k = 0u; k < 8u; k++) { top = max(top, partials[(ty + 8u * ${i}u) * 8u + k]); }
      let shrink = exp(m${i} - top);
      m${i} = top;
      let w = exp(s${i} - top);
      l${i} = l${i} * shrink + (w.x + w.y) + (w.z + w.w);
      let at = (ty + 8u * ${i}u) * 33u + tx;
      weights[at] = w.x;
      weights[at + 8u] = w.y;
      weights[at + 16u] = w.z;
      weights[at + 24u] = w.w;
//#for c NC
      o${i}_${c} *= shrink;
//#end
    }
//#end
//#for c NC
    workgroupBarrier();
    for (var e = local; e < 512u; e += 64u) {
      right[(e / 16u) * 17u + e % 16u] = chunk(k_base + channels, pitch, key + e / 16u, p.tokens, ${c}u * 16u + e % 16u);
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let v = vec2f(right[k * 17u + ${D0}], right[k * 17u + ${D1}]);
//#for i 4
      o${i}_${c} += weights[(ty + 8u * ${i}u) * 33u + k] * v;
//#end
    }
//#end
  }
  workgroupBarrier();
//#for i 4
  partials[(ty + 8u * ${i}u) * 8u + tx] = l${i};
//#end
  workgroupBarrier();
//#for i 4
  {
    let row = first + ty + 8u * ${i}u;
    var total = 0.0;
    for (var k = 0u; k < 8u; k++) { total += partials[(ty + 8u * ${i}u) * 8u + k]; }
    if (row < row_limit) {
      let at = (b * p.queries + row) * channels + h * HS;
//#for c NC
//#for once PLAIN
      if (${c}u * 16u + tx < HS) { output[at + ${c}u * 16u + tx] = o${i}_${c}.x / total; }
      if (${c}u * 16u + tx + 8u < HS) { output[at + ${c}u * 16u + tx + 8u] = o${i}_${c}.y / total; }
//#end
//#for once HALVES
      if (${c}u * 16u + 2u * tx < HS) { output[(at + ${c}u * 16u) / 2u + tx] = pack_pair(o${i}_${c} / total); }
//#end
//#end
      if (tx == 0u) { lse[bh * p.queries + row] = m${i} + log(total); }
    }
  }
//#end
}
