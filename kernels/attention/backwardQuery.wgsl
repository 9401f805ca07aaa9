// attention/backwardQuery: dQ = scale * dS K,  dS = P o (dP - D),  P = exp(S - lse),  dP = dO V^T,  D = rowsum(dO o O)
//   S is recomputed from Q and K; D is stored for backwardKey. Rows of dQ from TQ on are set to zero.
// Shapes, row-major f32: qkv, d_qkv (B, T, 3C) (only the q columns of d_qkv are written)  out, d_out (B, TQ, C)
//   lse, delta (B, NH, TQ)
// Grid: workgroup of 4 threads for 4 R rows of one head, folded into y. Registers only (see forward.wgsl).
// Precision: f32; each row is summed by one thread in a fixed order, no atomics
// Source: FlashAttention, arXiv 2205.14135, Alg. 4
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> output: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> d_out: array<${TYPE}>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_qkv: array<${TYPE}>;

@compute @workgroup_size(4)
fn main(@builtin(${LANE}) lane: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (p.tokens + ${R}u * 4u - 1u) / (${R}u * 4u);
  let id = wid.x + wid.y * groups.x;
  if (id >= blocks * p.heads * p.batch) { return; }
  let first = (id % blocks) * ${R}u * 4u;
  let row = first + lane * ${R}u;
  let bh = id / blocks;
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
  if (first >= p.queries) {
    for (var r = row; r < min(row + ${R}u, p.tokens); r++) {
      for (var d = 0u; d < QUADS; d++) { write_d_qkv(q_base + r * pitch, d, vec4f()); }
    }
    return;
  }
//#for r R
  let t${r} = min(row + ${r}u, p.queries - 1u);
  let g${r} = (b * p.queries + t${r}) * channels + h * HS;
  let lse${r} = lse[bh * p.queries + t${r}];
//#for d Q
  let q${r}_${d} = read_qkv(q_base + t${r} * pitch, ${d}u) * p.scale;
  let g${r}_${d} = read_d_out(g${r}, ${d}u);
  var dq${r}_${d} = vec4f();
//#end
//#end
  // Loops around what is met once: software adapters take long to compile long code.
  var deltas: array<f32, ${R}>;
  for (var r = 0u; r < ${R}u; r++) {
    let at = (b * p.queries + min(row + r, p.queries - 1u)) * channels + h * HS;
    var sum = 0.0;
    for (var d = 0u; d < QUADS; d++) { sum += dot(read_d_out(at, d), read_output(at, d)); }
    deltas[r] = sum;
  }
//#for r R
  let delta${r} = deltas[${r}];
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
    let dp${r} = 0.0
//#for d Q
      + dot(g${r}_${d}, v_${d})
//#end
    ;
    let ds${r} = exp(s${r} - lse${r}) * (dp${r} - delta${r});
//#for d Q
    dq${r}_${d} = dq${r}_${d} + ds${r} * k_${d};
//#end
//#end
  }
  let sums = array<vec4f, ${R} * QUADS>(
//#for r R
//#for d Q
    dq${r}_${d},
//#end
//#end
  );
  for (var r = 0u; r < ${R}u && row + r < p.tokens; r++) {
    let live = row + r < p.queries;
    for (var d = 0u; d < QUADS; d++) {
      write_d_qkv(q_base + (row + r) * pitch, d, select(vec4f(), sums[r * QUADS + d] * p.scale, live));
    }
    if (live) { delta[bh * p.queries + row + r] = deltas[r]; }
  }
}
