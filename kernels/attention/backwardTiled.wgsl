// attention/backwardTiled: dQ = scale * dS K,  dK = scale * dS^T Q,  dV = P^T dO  of a whole head, with
//   P = exp(S - lse),  dS = P o (dO V^T - D),  D = rowsum(dO o O)
//   The sums of backwardQueryTiled and backwardKeyTiled from one computation of S and dO V^T: five products instead of seven. For graphics
//   cards, where all keys make one block of columns. Rows of dQ from TQ on become zero. See tiles.wgsl for the blocks, access.wgsl for
//   read_* and write_*
// Shapes, row-major: qkv, d_qkv (B, T, 3C)  out, d_out (B, TQ, C)  lse (B, NH, TQ)
// Grid: workgroup per head, folded into y; rows are queries, columns are keys. In sums over the rows a thread has KG fours of keys from
//   4 KG mine on, times four dimensions from 4 quad on, in registers throughout; `index` is an argument so that the compiler knows its range
// Precision: f32, fixed order, no atomics
// Source: FlashAttention, arXiv 2205.14135, Alg. 4
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<${TYPE}>;
@group(0) @binding(2) var<storage, read> output: array<${TYPE}>;
@group(0) @binding(3) var<storage, read> d_out: array<${TYPE}>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_qkv: array<${TYPE}>;
const KG = ${KG}u;

@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) index: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  begin(index);
  let bh = wid.x + wid.y * groups.x;
  if (bh >= p.heads * p.batch) { return; }
  let mine = index / Q;
  let quad = index % Q;
  let h = bh % p.heads;
  let b = bh / p.heads;
  let channels = p.heads * HS;
  let pitch = 3u * channels;
  let q_base = b * p.tokens * pitch + h * HS;
  let k_base = q_base + channels;
  let v_base = k_base + channels;
  let g_base = b * p.queries * channels + h * HS;
  let last = p.tokens - 1u;
  let last_row = vec4u(p.queries - 1u);
  let valid = vec4u(4u * tx) + FOUR <= vec4u(last);
//#for g KG
//#for j 4
  var dk${g}_${j} = vec4f();
  var dv${g}_${j} = vec4f();
//#end
//#end
  for (var first = 0u; first < p.queries; first += ROWS) {
    let row = vec4u(first + 4u * ty) + FOUR;
    let at = min(row, last_row);
    let places = bh * p.queries + at;
    let shift = vec4f(lse[places.x], lse[places.y], lse[places.z], lse[places.w]);
    if (sy < RG) {
      let own = g_base + min(vec4u(first + 4u * sy) + FOUR, last_row) * channels;
      var part = vec4f();
//#for i 4
      part[${i}] = dot(read_d_out(own[${i}], sx), read_output(own[${i}], sx));
//#end
      partials[sy * Q + sx] = part;
    }
    var w = scores_qkv_qkv(q_base + at * pitch, k_base, pitch, 0u, last);
    var ds = scores_d_out_qkv(g_base + at * channels, v_base, pitch, 0u, last);
    workgroupBarrier();
    if (ty < RG) {
      var deltas = vec4f();
      for (var d = 0u; d < Q; d++) { deltas += partials[ty * Q + d]; }
      // A row that is not there repeats the last, and must not be summed again.
      let live = row <= last_row;
//#for i 4
      w[${i}] = select(vec4f(), exp(w[${i}] * p.scale - shift[${i}]), valid & vec4<bool>(live[${i}]));
      ds[${i}] = w[${i}] * (ds[${i}] - deltas[${i}]);
//#end
      store_weights(w);
    }
    workgroupBarrier();
    if (mine * KG < CG) {
      for (var r = 0u; r < ROWS; r += 4u) {
        let rows = g_base + min(vec4u(first + r) + FOUR, last_row) * channels;
//#for i 4
        {
          let a = read_d_out(rows[${i}], quad);
//#for g KG
          let w${g} = panel[(r + ${i}u) * CG + mine * KG + ${g}u];
          dv${g}_0 += w${g}.x * a;
          dv${g}_1 += w${g}.y * a;
          dv${g}_2 += w${g}.z * a;
          dv${g}_3 += w${g}.w * a;
//#end
        }
//#end
      }
    }
    workgroupBarrier();
    if (ty < RG) { store_weights(ds); }
    workgroupBarrier();
    if (mine * KG < CG) {
      for (var r = 0u; r < ROWS; r += 4u) {
        let rows = q_base + min(vec4u(first + r) + FOUR, last_row) * pitch;
//#for i 4
        {
          let a = read_qkv(rows[${i}], quad);
//#for g KG
          let w${g} = panel[(r + ${i}u) * CG + mine * KG + ${g}u];
          dk${g}_0 += w${g}.x * a;
          dk${g}_1 += w${g}.y * a;
          dk${g}_2 += w${g}.z * a;
          dk${g}_3 += w${g}.w * a;
//#end
        }
//#end
      }
    }
    let dq = add_qkv(mat4x4f(), k_base, pitch, 0u, last);
    if (sy < RG) {
//#for i 4
      {
        let own = first + 4u * sy + ${i}u;
        if (own < p.queries) { write_d_qkv(q_base + own * pitch, sx, dq[${i}] * p.scale); }
      }
//#end
    }
  }
  for (var e = index; e < (p.tokens - p.queries) * Q; e += THREADS) {
    write_d_qkv(q_base + (p.queries + e / Q) * pitch, e % Q, vec4f());
  }
//#for g KG
//#for j 4
  {
    let key = 4u * (mine * KG + ${g}u) + ${j}u;
    if (key < p.tokens) {
      write_d_qkv(k_base + key * pitch, quad, dk${g}_${j} * p.scale);
      write_d_qkv(v_base + key * pitch, quad, dv${g}_${j});
    }
  }
//#end
//#end
}
