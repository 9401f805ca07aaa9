// attention/forward: out = softmax(Q K^T / sqrt(HS)) V per head, with online softmax; no T x T matrix is stored
//   m' = max(m, S),  l' = l e^(m - m') + e^(S - m'),  O' = O e^(m - m') + e^(S - m') V
//   finally out = O / l and lse = m + log l, which is all that the backward pass needs
// Shapes, row-major f32: qkv (B, T, 3C) with columns [q|k|v], each [head][HS]  out (B, TQ, C)  lse (B, NH, TQ)
//   TQ = queries: the first TQ tokens are queries (T, or 1 for the class token alone); keys and values are all T
// Grid: workgroup of 4 threads for 4 R queries of one head, folded into y; a thread owns R queries and meets one
//   key at a time. Registers only, no barrier: the variant for software adapters. Precision: f32, maximum subtracted
// Template: quads of 4 dimensions, Q in all; see rows.wgsl, prepended, for reads, writes and SHARE
// Source: online softmax, arXiv 1805.02867; tiling as in FlashAttention, arXiv 2205.14135
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read_write> output: array<${TYPE}>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
const NEVER = -1e30;  // finite, so that no infinity meets a subtraction

@compute @workgroup_size(4)
fn main(@builtin(${LANE}) lane: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (p.queries + ${R}u * 4u - 1u) / (${R}u * 4u);
  let id = wid.x + wid.y * groups.x;
  if (id >= blocks * p.heads * p.batch) { return; }
  let row = (id % blocks) * ${R}u * 4u + lane * ${R}u;
  let bh = id / blocks;
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
//#for r R
  let q${r} = q_base + min(row + ${r}u, p.queries - 1u) * pitch;
  var m${r} = NEVER;
  var l${r} = 0.0;
//#for d Q
  let q${r}_${d} = read_qkv(q${r}, ${d}u) * p.scale;
  var o${r}_${d} = vec4f();
//#end
//#end
  for (var key = 0u; key < p.tokens; key++) {
    let k = k_base + key * pitch;
//#for once SHARE
    let some_k = array<vec4f, SHARES>(
//#for j SHARES
      read_qkv(k, min(lane + 4u * ${j}u, QUADS - 1u)),
//#end
    );
    let some_v = array<vec4f, SHARES>(
//#for j SHARES
      read_qkv(k + channels, min(lane + 4u * ${j}u, QUADS - 1u)),
//#end
    );
//#end
//#for d Q
//#for once SHARE
    let k_${d} = quadBroadcast(some_k[${d}u / 4u], ${d}u % 4u);
    let v_${d} = quadBroadcast(some_v[${d}u / 4u], ${d}u % 4u);
//#end
//#for once OWN
    let k_${d} = read_qkv(k, ${d}u);
    let v_${d} = read_qkv(k + channels, ${d}u);
//#end
//#end
    // One statement per variable: software adapters mask every store.
//#for r R
    let s${r} = 0.0
//#for d Q
      + dot(q${r}_${d}, k_${d})
//#end
    ;
    let top${r} = max(m${r}, s${r});
    let shrink${r} = exp(m${r} - top${r});
    let w${r} = exp(s${r} - top${r});
    m${r} = top${r};
    l${r} = l${r} * shrink${r} + w${r};
//#for d Q
    o${r}_${d} = o${r}_${d} * shrink${r} + w${r} * v_${d};
//#end
//#end
  }
//#for r R
  if (row + ${r}u < p.queries) {
    let at = (b * p.queries + row + ${r}u) * channels + h * HS;
    let inv = 1.0 / l${r};
//#for d Q
    write_output(at, ${d}u, o${r}_${d} * inv);
//#end
    lse[bh * p.queries + row + ${r}u] = m${r} + log(l${r});
  }
//#end
}
