// matmul/panels: out = op(A) op(B), one TM x TN tile of outputs per workgroup through workgroup memory
//   K advances KT at a time; the next panels travel to registers while the present ones are multiplied.
//   acc_ij = fma(A_ik, B_kj, acc_ij) for k ascending, as matmul/register: the same bits. An invocation owns MT x NT outputs in
//   groups of four rows and four columns, the groups TY and TX apart, so that neighbours read neighbouring words.
// Shapes and items of a batch: as matmul/register. A panel has KT rows of quads along m or n, whichever way the operand is
//   stored: one that runs along k is turned when it is written, each row of quads rotated by TURN quads per four k, so that
//   the eight invocations that write together meet all banks.
// Grid: one workgroup of TX * TY invocations per (item, tile), folded over x and y. Precision: f32
// Template: A_T / B_T (operand stored transposed), MV = MT / 4, NV = NT / 4, LA / LB quads loaded per invocation, UNROLL:
//   fours of k written out. All of a panel at once is a tenth faster on an H200, and slow to compile in software.
//   PANELS is 2 where two panels of each operand take turns, one barrier for KT instead of two (ONCE).
// Remainders by constants look idle: by them Tint proves every index of workgroup memory in bounds, and none is clamped.
const TX = ${TX}u;
const TY = ${TY}u;
const THREADS = TX * TY;
const KT = ${KT}u;
const KQ = KT / 4u;
const MQ = TY * ${MV}u;  // quads of rows in a tile
const NQ = TX * ${NV}u;
const TURN = 8u / KQ;

// Scalars where a panel is turned: invocations that store components of one vector race, for a store may touch all of it.
//#for once A_N
var<workgroup> panel_a: array<f32, ${PANELS}u * KT * MQ * 4u>;
//#end
//#for once A_T
var<workgroup> panel_a: array<vec4f, ${PANELS}u * KT * MQ>;
//#end
//#for once B_T
var<workgroup> panel_b: array<f32, ${PANELS}u * KT * NQ * 4u>;
//#end
//#for once B_N
var<workgroup> panel_b: array<vec4f, ${PANELS}u * KT * NQ>;
//#end

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
  let wa${l} = ka${l} * MQ + ((ra${l} / 4u) ^ (((t + ${l}u * THREADS) % KQ) * TURN)) % MQ;
  let ea${l} = ra${l} % 4u;
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
  let wb${l} = kb${l} * NQ + ((rb${l} / 4u) ^ (((t + ${l}u * THREADS) % KQ) * TURN)) % NQ;
  let eb${l} = rb${l} % 4u;
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

  var turn = 0u;
  for (var k = k_begin; k < k_end; k += KT) {
    //#for once ONCE
    workgroupBarrier();
    //#end
    let turn_a = (turn % ${PANELS}u) * (KT * MQ);
    let turn_b = (turn % ${PANELS}u) * (KT * NQ);
    turn++;
    //#for l LA
    //#for once A_N
    //#for c 4
    panel_a[(turn_a + wa${l} + ${c}u * MQ) * 4u + ea${l}] = na${l}[${c}];
    //#end
    //#end
    //#for once A_T
    panel_a[turn_a + wa${l}] = na${l};
    //#end
    //#end
    //#for l LB
    //#for once B_T
    //#for c 4
    panel_b[(turn_b + wb${l} + ${c}u * NQ) * 4u + eb${l}] = nb${l}[${c}];
    //#end
    //#end
    //#for once B_N
    panel_b[turn_b + wb${l}] = nb${l};
    //#end
    //#end
    workgroupBarrier();
    if (k + KT < k_end) {
      //#for l LA
      na${l} = fetch_a(oa${l}, k + KT + ka${l}, k_end, last_a);
      //#end
      //#for l LB
      nb${l} = fetch_b(ob${l}, k + KT + kb${l}, k_end, last_b);
      //#end
    }
    for (var s = 0u; s < KQ / ${UNROLL}u; s++) {
      //#for v UNROLL
      {
        let four = s * ${UNROLL}u + ${v}u;
        //#for i MV
        //#for once A_N
        let xa${i} = turn_a + four * 4u * MQ + ((ty + ${i}u * TY) ^ (four * TURN)) % MQ;
        //#end
        //#for once A_T
        let xa${i} = turn_a + four * 4u * MQ + ty + ${i}u * TY;
        //#end
        //#end
        //#for j NV
        //#for once B_T
        let xb${j} = turn_b + four * 4u * NQ + ((tx + ${j}u * TX) ^ (four * TURN)) % NQ;
        //#end
        //#for once B_N
        let xb${j} = turn_b + four * 4u * NQ + tx + ${j}u * TX;
        //#end
        //#end
        //#for c 4
        //#for i MV
        //#for once A_N
        let wa${i}_${c} = (xa${i} + ${c}u * MQ) * 4u;
        let ca${i}_${c} = vec4f(panel_a[wa${i}_${c}], panel_a[wa${i}_${c} + 1u], panel_a[wa${i}_${c} + 2u], panel_a[wa${i}_${c} + 3u]);
        //#end
        //#for once A_T
        let ca${i}_${c} = panel_a[xa${i} + ${c}u * MQ];
        //#end
        //#end
        //#for j NV
        //#for once B_T
        let wb${j}_${c} = (xb${j} + ${c}u * NQ) * 4u;
        let cb${j}_${c} = vec4f(panel_b[wb${j}_${c}], panel_b[wb${j}_${c} + 1u], panel_b[wb${j}_${c} + 2u], panel_b[wb${j}_${c} + 3u]);
        //#end
        //#for once B_N
        let cb${j}_${c} = panel_b[xb${j} + ${c}u * NQ];
        //#end
        //#end
        //#for i MV
        //#for q 4
        //#for j NV
        acc${i}_${q}_${j} = fma(vec4f(ca${i}_${c}[${q}]), cb${j}_${c}, acc${i}_${q}_${j});
        //#end
        //#end
        //#end
        //#end
      }
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
