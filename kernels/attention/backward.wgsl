// attention/backward: dQ = scale * dS K,  dK = scale * dS^T Q,  dV = P^T dO  of a whole head, with
//   P = exp(S - lse),  dS = P o (dO V^T - D),  D = rowsum(dO o O)
//   The sums of backwardQuery and backwardKey from one computation of S and dO V^T: five products instead of seven. Rows of dQ from TQ on
//   become zero.
// Shapes, row-major f32: qkv, d_qkv (B, T, 3C)  out, d_out (B, TQ, C)  lse (B, NH, TQ)
// Grid: workgroup of 4 threads, one subgroup, per head, folded into y. It meets 4 R keys at a time, a thread R of them, with all queries;
//   the subgroup adds up the gradient of each query, and those of earlier keys are read back by the invocation that wrote them.
//   Registers only (see forward.wgsl).
// Precision: f32; fixed order, no atomics
// Source: FlashAttention, arXiv 2205.14135, Alg. 4
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> output: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> d_out: array<${TYPE}>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_qkv: array<${TYPE}>;

@compute @workgroup_size(4)
fn main(@builtin(${LANE}) lane: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let bh = wid.x + wid.y * groups.x;
  if (bh >= p.heads * p.batch) { return; }
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
  let g_base = b * p.queries * channels + h * HS;
  let high = lane >= 2u;
  let odd = lane % 2u == 1u;
  for (var r = p.queries + lane; r < p.tokens; r += 4u) {
    for (var d = 0u; d < QUADS; d++) { write_d_qkv(q_base + r * pitch, d, vec4f()); }
  }
  for (var first = 0u; first < p.tokens; first += ${R}u * 4u) {
    let row = first + lane * ${R}u;
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
      var part = 0.0;
//#for j SHARES
      part += select(0.0, dot(some_g[${j}u], read_output(g, min(lane + 4u * ${j}u, QUADS - 1u))), lane + 4u * ${j}u < QUADS);
//#end
      let mean = subgroupAdd(part);
//#for d Q
      let q_${d} = quadBroadcast(some_q[${d}u / 4u], ${d}u % 4u);
      let g_${d} = quadBroadcast(some_g[${d}u / 4u], ${d}u % 4u);
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
      // A key that is not there repeats the last one, and must not be summed again.
      let ds${r} = select(0.0, w${r} * (dp${r} - mean), row + ${r}u < p.tokens);
//#for d Q
      dk${r}_${d} = dk${r}_${d} + ds${r} * q_${d};
      dv${r}_${d} = dv${r}_${d} + w${r} * g_${d};
//#end
//#end
      let dq = array<vec4f, 4 * SHARES>(
//#for d Q
        vec4f()
//#for r R
          + ds${r} * k${r}_${d}
//#end
        ,
//#end
//#for d SPARE
        vec4f(),
//#end
      );
      // Of every four quads each thread keeps one and passes the others on.
//#for j SHARES
      let near${j} = select(dq[${j}u * 4u], dq[${j}u * 4u + 2u], high) + quadSwapY(select(dq[${j}u * 4u + 2u], dq[${j}u * 4u], high));
      let far${j} = select(dq[${j}u * 4u + 1u], dq[${j}u * 4u + 3u], high) + quadSwapY(select(dq[${j}u * 4u + 3u], dq[${j}u * 4u + 1u], high));
      var sum${j} = select(near${j}, far${j}, odd) + quadSwapX(select(far${j}, near${j}, odd));
      if (lane + 4u * ${j}u < QUADS) {
        if (first > 0u) { sum${j} += read_d_qkv(q, lane + 4u * ${j}u); }
        write_d_qkv(q, lane + 4u * ${j}u, sum${j});
      }
//#end
    }
${STORE_KEYS}  }
}
