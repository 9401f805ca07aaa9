// attention/forwardTiled: out = softmax(Q K^T / sqrt(HS)) V per head, with online softmax; no T x T matrix is stored
//   The same recurrence as forward.wgsl, for graphics cards: see tiles.wgsl for the blocks, access.wgsl for read_* and write_*
// Shapes, row-major: qkv (B, T, 3C) with columns [q|k|v], each [head][HS]  out (B, TQ, C)  lse (B, NH, TQ)
//   TQ = queries: the first TQ tokens are queries; keys and values are all T
// Grid: workgroup per ROWS queries of one head, folded into y
// Precision: f32, maximum subtracted
// Source: FlashAttention, arXiv 2205.14135
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read_write> output: array<${TYPE}>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
const NEVER = -1e30;  // finite, so that no infinity meets a subtraction

fn highest(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
fn total(v: vec4f) -> f32 { return (v.x + v.y) + (v.z + v.w); }
fn sum_of_rows(group: u32) -> vec4f {
  var sum = partials[group * CG];
  for (var c = 1u; c < CG; c++) { sum += partials[group * CG + c]; }
  return sum;
}

@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) index: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  begin(index);
  let blocks = (p.queries + ROWS - 1u) / ROWS;
  let id = wid.x + wid.y * groups.x;
  // Workgroups past the end see no valid row: they pass every barrier and store nothing.
  let row_limit = select(0u, p.queries, id < blocks * p.heads * p.batch);
  let first = (id % blocks) * ROWS;
  let bh = min(id / blocks, p.heads * p.batch - 1u);
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
  let last = p.tokens - 1u;
  let at = q_base + min(vec4u(first + 4u * ty) + FOUR, vec4u(p.queries - 1u)) * pitch;
  var m = vec4f(NEVER);
  var l = vec4f();
  var o = mat4x4f();
  for (var key = 0u; key < p.tokens; key += COLUMNS) {
    var s = scores_qkv_qkv(at, k_base, pitch, key, last);
    let valid = vec4u(key + 4u * tx) + FOUR <= vec4u(last);
//#for i 4
    s[${i}] = select(vec4f(NEVER), s[${i}] * p.scale, valid);
//#end
    if (ty < RG) { partials[ty * CG + tx] = vec4f(highest(s[0]), highest(s[1]), highest(s[2]), highest(s[3])); }
    workgroupBarrier();
    if (ty < RG) {
      var top = m;
      for (var c = 0u; c < CG; c++) { top = max(top, partials[ty * CG + c]); }
      let shrink = exp(m - top);
      m = top;
//#for i 4
      s[${i}] = exp(s[${i}] - top[${i}]);
//#end
      l = l * shrink + vec4f(total(s[0]), total(s[1]), total(s[2]), total(s[3]));
      store_weights(s);
      if (tx == 0u) { whole[ty] = shrink; }
    }
    workgroupBarrier();
    let shrink = whole[min(sy, RG - 1u)];
//#for i 4
    o[${i}] *= shrink[${i}];
//#end
    o = add_qkv(o, k_base + channels, pitch, key, last);
  }
  if (ty < RG) { partials[ty * CG + tx] = l; }
  workgroupBarrier();
  if (ty < RG && tx == 0u) {
    let logs = m + log(sum_of_rows(ty));
//#for i 4
    if (first + 4u * ty + ${i}u < row_limit) { lse[bh * p.queries + first + 4u * ty + ${i}u] = logs[${i}]; }
//#end
  }
  if (sy < RG) {
    let totals = sum_of_rows(sy);
//#for i 4
    if (first + 4u * sy + ${i}u < row_limit) {
      write_output((b * p.queries + first + 4u * sy + ${i}u) * channels + h * HS, sx, o[${i}] / totals[${i}]);
    }
//#end
  }
}
