// matmul/shared: out = op(A) op(B), one TM x TN tile of outputs per workgroup through workgroup memory
//   K advances KT at a time; the next panels travel to registers while the present ones are multiplied.
//   Same order of k and same fma as matmul/register. An invocation owns MT x NT outputs in groups of four rows
//   and four columns, the groups TY and TX apart, so that neighbours read neighbouring words.
// Shapes and items of a batch: as matmul/register. Panels keep the operand's own layout:
//   along K: row r, quad q at r KT/4 + q + r/4 (one word of padding per four rows spreads the banks); else k T/4 + q.
// Grid: one workgroup of TX * TY invocations per (item, tile), folded over x and y. Precision: f32
// Template: A_T / B_T (operand stored transposed), MV = MT / 4, NV = NT / 4, LA / LB quads loaded per invocation.
const TX = ${TX}u;
const TY = ${TY}u;
const THREADS = TX * TY;
const KQ = ${KT}u / 4u;
const MQ = TY * ${MV}u;  // quads of rows in a tile
const NQ = TX * ${NV}u;

var<workgroup> panel_a: array<vec4f, ${A_WORDS}>;
var<workgroup> panel_b: array<vec4f, ${B_WORDS}>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let linear = wid.x + wid.y * groups.x;
  let tile = linear % p.tiles;
  let live = linear / p.tiles < p.items;
  let item = min(linear / p.tiles, p.items - 1u);
  let batch = item / p.splits;
  let row0 = (tile / p.tiles_n) * MQ * 4u;
  let col0 = (tile % p.tiles_n) * NQ * 4u;
  let tx = t % TX;
  let ty = t / TX;

  let k_begin = min((item % p.splits) * p.k_chunk, p.k);
  let k_end = min(k_begin + p.k_chunk, p.k);
  let base_a = batch * p.stride_a;
  let base_b = batch * p.stride_b;
  let last_a = base_a + p.m * p.k - 1u;
  let last_b = base_b + p.n * p.k - 1u;

  // Where each loaded quad comes from (offset at k = 0, its own k) and where it goes in the panel.
  //#for l LA
  //#for once A_N
  let ka${l} = ((t + ${l}u * THREADS) % KQ) * 4u;
  let ra${l} = (t + ${l}u * THREADS) / KQ;
  let oa${l} = base_a + min(row0 + ra${l}, p.m - 1u) * p.k;
  let wa${l} = ra${l} * KQ + ka${l} / 4u + ra${l} / 4u;
  //#end
  //#for once A_T
  let ka${l} = (t + ${l}u * THREADS) / MQ;
  let oa${l} = base_a + edge_a(row0 + ((t + ${l}u * THREADS) % MQ) * 4u);
  let wa${l} = t + ${l}u * THREADS;
  //#end
  var na${l} = fetch_a(oa${l}, k_begin + ka${l}, k_end, last_a);
  //#end
  //#for l LB
  //#for once B_T
  let kb${l} = ((t + ${l}u * THREADS) % KQ) * 4u;
  let rb${l} = (t + ${l}u * THREADS) / KQ;
  let ob${l} = base_b + min(col0 + rb${l}, p.n - 1u) * p.k;
  let wb${l} = rb${l} * KQ + kb${l} / 4u + rb${l} / 4u;
  //#end
  //#for once B_N
  let kb${l} = (t + ${l}u * THREADS) / NQ;
  let ob${l} = base_b + edge_b(col0 + ((t + ${l}u * THREADS) % NQ) * 4u);
  let wb${l} = t + ${l}u * THREADS;
  //#end
  var nb${l} = fetch_b(ob${l}, k_begin + kb${l}, k_end, last_b);
  //#end

  //#for i MV
  //#for q 4
  //#for j NV
  var acc${i}_${q}_${j} = vec4f();
  //#end
  //#end
  //#end

  for (var k = k_begin; k < k_end; k += ${KT}u) {
    workgroupBarrier();
    //#for l LA
    panel_a[wa${l}] = na${l};
    //#end
    //#for l LB
    panel_b[wb${l}] = nb${l};
    //#end
    workgroupBarrier();
    //#for l LA
    na${l} = fetch_a(oa${l}, k + ${KT}u + ka${l}, k_end, last_a);
    //#end
    //#for l LB
    nb${l} = fetch_b(ob${l}, k + ${KT}u + kb${l}, k_end, last_b);
    //#end
    for (var s = 0u; s < KQ; s++) {
      //#for i MV
      //#for once A_N
      //#for q 4
      let ra${i}_${q} = panel_a[(ty + ${i}u * TY) * (KQ * 4u + 1u) + ${q}u * KQ + s];
      //#end
      //#for c 4
      let ca${i}_${c} = vec4f(ra${i}_0[${c}], ra${i}_1[${c}], ra${i}_2[${c}], ra${i}_3[${c}]);
      //#end
      //#end
      //#for once A_T
      //#for c 4
      let ca${i}_${c} = panel_a[(s * 4u + ${c}u) * MQ + ty + ${i}u * TY];
      //#end
      //#end
      //#end
      //#for j NV
      //#for once B_T
      //#for q 4
      let rb${j}_${q} = panel_b[(tx + ${j}u * TX) * (KQ * 4u + 1u) + ${q}u * KQ + s];
      //#end
      //#for c 4
      let cb${j}_${c} = vec4f(rb${j}_0[${c}], rb${j}_1[${c}], rb${j}_2[${c}], rb${j}_3[${c}]);
      //#end
      //#end
      //#for once B_N
      //#for c 4
      let cb${j}_${c} = panel_b[(s * 4u + ${c}u) * NQ + tx + ${j}u * TX];
      //#end
      //#end
      //#end
      // One statement per accumulator: software adapters mask every store to a variable.
      //#for i MV
      //#for q 4
      //#for j NV
      acc${i}_${q}_${j} = fma(vec4f(ca${i}_3[${q}]), cb${j}_3,
        fma(vec4f(ca${i}_2[${q}]), cb${j}_2,
        fma(vec4f(ca${i}_1[${q}]), cb${j}_1,
        fma(vec4f(ca${i}_0[${q}]), cb${j}_0, acc${i}_${q}_${j}))));
      //#end
      //#end
      //#end
    }
  }

  let base_out = item * p.stride_out;
  //#for i MV
  //#for q 4
  //#for j NV
  if (live) { store(base_out, row0 + (ty + ${i}u * TY) * 4u + ${q}u, col0 + (tx + ${j}u * TX) * 4u, acc${i}_${q}_${j}); }
  //#end
  //#end
  //#end
}
