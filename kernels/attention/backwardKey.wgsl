// attention/backwardKey: dV = P^T dO,  dK = scale * dS^T Q,  P = exp(S - lse),  dS = P o (dO V^T - D)
//   S is recomputed; D = delta comes from backwardQuery, which runs before
// Shapes, row-major f32: qkv, d_qkv (B, T, 3C) (only the k and v columns of d_qkv are written)  d_out (B, TQ, C)
//   lse, delta (B, NH, TQ)
// Grid: workgroup of 4 threads for 4 R keys of one head, folded into y. Registers only (see forward.wgsl).
// Precision: f32; each row is summed by one thread in a fixed order, no atomics
// Source: FlashAttention, arXiv 2205.14135, Alg. 4
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> d_out: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_qkv: array<${TYPE}>;

@compute @workgroup_size(4)
fn main(@builtin(${LANE}) lane: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (p.tokens + ${R}u * 4u - 1u) / (${R}u * 4u);
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
  let g_base = b * p.queries * channels + h * HS;
//#for r R
  let k${r} = k_base + min(row + ${r}u, p.tokens - 1u) * pitch;
//#for d Q
  let k${r}_${d} = read_qkv(k${r}, ${d}u) * p.scale;
  let v${r}_${d} = read_qkv(k${r} + channels, ${d}u);
  var dk${r}_${d} = vec4f();
  var dv${r}_${d} = vec4f();
//#end
//#end
  for (var query = 0u; query < p.queries; query++) {
    let q = q_base + query * pitch;
    let g = g_base + query * channels;
    let shift = lse[bh * p.queries + query];
    let mean = delta[bh * p.queries + query];
//#for once SHARE
    let some_q = array<vec4f, SHARES>(
//#for j SHARES
      read_qkv(q, min(lane + 4u * ${j}u, QUADS - 1u)),
//#end
    );
    let some_g = array<vec4f, SHARES>(
//#for j SHARES
      read_d_out(g, min(lane + 4u * ${j}u, QUADS - 1u)),
//#end
    );
//#end
//#for d Q
//#for once SHARE
    let q_${d} = quadBroadcast(some_q[${d}u / 4u], ${d}u % 4u);
    let g_${d} = quadBroadcast(some_g[${d}u / 4u], ${d}u % 4u);
//#end
//#for once OWN
    let q_${d} = read_qkv(q, ${d}u);
    let g_${d} = read_d_out(g, ${d}u);
//#end
//#end
    // One statement per variable: software adapters mask every store.
//#for r R
    let s${r} = 0.0
//#for d Q
      + dot(k${r}_${d}, q_${d})
//#end
    ;
    let dp${r} = 0.0
//#for d Q
      + dot(v${r}_${d}, g_${d})
//#end
    ;
    let w${r} = exp(s${r} - shift);
    let ds${r} = w${r} * (dp${r} - mean);
//#for d Q
    dk${r}_${d} = dk${r}_${d} + ds${r} * q_${d};
    dv${r}_${d} = dv${r}_${d} + w${r} * g_${d};
//#end
//#end
  }
${STORE_KEYS}}
