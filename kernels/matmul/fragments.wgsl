// matmul/fragments: out = op(A) op(B) by the matrix units of a subgroup, one TM x TN tile of outputs per workgroup
//   Operands are rounded to half precision when they are put into a panel of workgroup memory; products are added up in f32, in an
//   order that is the device's own and always the same. K advances KT at a time; the next panels travel to registers meanwhile.
//   A subgroup owns FM x FN fragments of UM x UN outputs. Panels keep the layout of their operand, rows PAD longer against bank
//   conflicts: the loads of fragments say which way k runs.
// Shapes and items of a batch: as matmul/register.
// Grid: one workgroup of SUBGROUPS * LANES invocations per (item, tile), folded over x and y
// Precision: operands f16 (relative 2^-11 each, infinite above 65504), sums f32
// Template: A_T / B_T (operand stored transposed), UM / UN / UK (sizes of one product of the device), LA / LB (quads loaded per
//   invocation), COLS (subgroups along n). The sides of all tiles are multiples of those of fragments.
const UM = ${UM}u;
const UN = ${UN}u;
const UK = ${UK}u;
const TM = ${TM}u;
const TN = ${TN}u;
const KT = ${KT}u;
const LANES = ${LANES}u;
const THREADS = ${SUBGROUPS}u * LANES;
const PAD = 8u;
// Distance of rows of a panel: along k, or across it.
//#for once A_N
const PITCH_A = KT + PAD;
var<workgroup> panel_a: array<f16, TM * PITCH_A>;
//#end
//#for once A_T
const PITCH_A = TM + PAD;
var<workgroup> panel_a: array<f16, KT * PITCH_A>;
//#end
//#for once B_T
const PITCH_B = KT + PAD;
var<workgroup> panel_b: array<f16, TN * PITCH_B>;
//#end
//#for once B_N
const PITCH_B = TN + PAD;
var<workgroup> panel_b: array<f16, KT * PITCH_B>;
//#end
var<workgroup> results: array<f32, ${SUBGROUPS}u * UM * UN>;

alias Left = subgroup_matrix_left<f16, UK, UM>;
alias Right = subgroup_matrix_right<f16, UN, UK>;
alias Result = subgroup_matrix_result<f32, UN, UM>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let linear = wid.x + wid.y * groups.x;
  let tile = linear % p.tiles;
  let live = linear / p.tiles < p.items;
  let item = min(linear / p.tiles, p.items - 1u);
  let batch = item / p.splits;
  let row0 = (tile / p.tiles_n) * TM;
  let col0 = (tile % p.tiles_n) * TN;
  let own_row = (subgroup / ${COLS}u) * (${FM}u * UM);
  let own_col = (subgroup % ${COLS}u) * (${FN}u * UN);

  let k_begin = min((item % p.splits) * p.k_chunk, p.k);
  let k_end = min(k_begin + p.k_chunk, p.k);
  let base_a = batch * p.stride_a;
  let base_b = batch * p.stride_b;
  let last_a = base_a + p.m * p.k - 1u;
  let last_b = base_b + p.n * p.k - 1u;

  // Where each loaded quad comes from (offset at k = 0, its own k) and where it goes in the panel.
  //#for l LA
  //#for once A_N
  let ka${l} = ((t + ${l}u * THREADS) % (KT / 4u)) * 4u;
  let ra${l} = (t + ${l}u * THREADS) / (KT / 4u);
  let oa${l} = base_a + min(row0 + ra${l}, p.m - 1u) * p.k;
  let wa${l} = ra${l} * PITCH_A + ka${l};
  //#end
  //#for once A_T
  let ka${l} = (t + ${l}u * THREADS) / (TM / 4u);
  let ra${l} = ((t + ${l}u * THREADS) % (TM / 4u)) * 4u;
  let oa${l} = base_a + edge_a(row0 + ra${l});
  let wa${l} = ka${l} * PITCH_A + ra${l};
  //#end
  var na${l} = fetch_a(oa${l}, k_begin + ka${l}, k_end, last_a);
  //#end
  //#for l LB
  //#for once B_T
  let kb${l} = ((t + ${l}u * THREADS) % (KT / 4u)) * 4u;
  let rb${l} = (t + ${l}u * THREADS) / (KT / 4u);
  let ob${l} = base_b + min(col0 + rb${l}, p.n - 1u) * p.k;
  let wb${l} = rb${l} * PITCH_B + kb${l};
  //#end
  //#for once B_N
  let kb${l} = (t + ${l}u * THREADS) / (TN / 4u);
  let rb${l} = ((t + ${l}u * THREADS) % (TN / 4u)) * 4u;
  let ob${l} = base_b + edge_b(col0 + rb${l});
  let wb${l} = kb${l} * PITCH_B + rb${l};
  //#end
  var nb${l} = fetch_b(ob${l}, k_begin + kb${l}, k_end, last_b);
  //#end

  //#for i FM
  //#for j FN
  var acc${i}_${j} = Result();
  //#end
  //#end

  for (var k = k_begin; k < k_end; k += KT) {
    workgroupBarrier();
    //#for l LA
    //#for c 4
    panel_a[wa${l} + ${c}u] = na${l}[${c}];
    //#end
    //#end
    //#for l LB
    //#for c 4
    panel_b[wb${l} + ${c}u] = nb${l}[${c}];
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
    for (var s = 0u; s < KT; s += UK) {
      //#for i FM
      //#for once A_N
      let a${i} = subgroupMatrixLoad<Left, row_major>(&panel_a, (own_row + ${i}u * UM) * PITCH_A + s, PITCH_A);
      //#end
      //#for once A_T
      let a${i} = subgroupMatrixLoad<Left, col_major>(&panel_a, s * PITCH_A + own_row + ${i}u * UM, PITCH_A);
      //#end
      //#end
      //#for j FN
      //#for once B_T
      let b${j} = subgroupMatrixLoad<Right, col_major>(&panel_b, (own_col + ${j}u * UN) * PITCH_B + s, PITCH_B);
      //#end
      //#for once B_N
      let b${j} = subgroupMatrixLoad<Right, row_major>(&panel_b, s * PITCH_B + own_col + ${j}u * UN, PITCH_B);
      //#end
      //#end
      //#for i FM
      //#for j FN
      acc${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, acc${i}_${j});
      //#end
      //#end
    }
  }

  // A subgroup's fragments pass one by one through its part of workgroup memory: only there can their elements be told apart.
  let base_out = item * p.stride_out;
  let own = subgroup * UM * UN;
  //#for i FM
  //#for j FN
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&results, own, acc${i}_${j}, UN);
  workgroupBarrier();
  for (var q = lane; q < UM * UN / 4u; q += LANES) {
    let at = own + q * 4u;
    let z = vec4f(results[at], results[at + 1u], results[at + 2u], results[at + 3u]);
    let row = row0 + own_row + ${i}u * UM + q / (UN / 4u);
    if (live) { store(base_out, row, col0 + own_col + ${j}u * UN + (q % (UN / 4u)) * 4u, z); }
  }
  //#end
  //#end
}
