// matmul/register: out = op(A) op(B), one MT x NT tile of outputs per invocation, no workgroup memory
//   acc_ij = fma(A_ik, B_kj, acc_ij) for k ascending, so every tile size gives the same bits
// Shapes, row-major f32: op(A) (M, K)  op(B) (K, N)  out (M, N); items of a batch lie stride_* elements apart.
//   A split over K writes partial products: item = batch * splits + split, summed in order by matmul/reduce.
// Grid: one workgroup of WX x WY invocations per (item, tile), folded over x and y. Precision: f32
// Template: A_T / B_T (operand stored transposed), TAIL (K may leave a remainder of 4), MV = MT / 4, NV = NT / 4,
//   SHARE: a workgroup is a quad of one subgroup, four lanes side by side along n; each loads a quarter of their common rows
//   of A and broadcasts it: a software adapter takes an instruction for a broadcast in a quad, and many for one in a subgroup
//   or a load.
// Rows and columns past the edge read the nearest valid ones and are not stored; loads stay inside the matrices.
const MT = ${MT}u;
const NT = ${NT}u;
const WX = ${WX}u;
const WY = ${WY}u;

@compute @workgroup_size(WX, WY)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
  //#for once SHARE
  @builtin(subgroup_invocation_id) lane: u32,
  //#end
) {
  let linear = wid.x + wid.y * groups.x;
  let tile = linear % p.tiles;
  let item = linear / p.tiles;
  let batch = item / p.splits;
  let row = ((tile / p.tiles_n) * WY + lid.y) * MT;
  let col = ((tile % p.tiles_n) * WX + ${ALONG_N}) * NT;
  let live = item < p.items && row < p.m && col < p.n;

  let k_begin = min((item % p.splits) * p.k_chunk, p.k);
  let k_end = select(k_begin, min(k_begin + p.k_chunk, p.k), ${BUSY});
  let k_main = k_begin + ((k_end - k_begin) & ~3u);
  let base_a = batch * p.stride_a;
  let base_b = batch * p.stride_b;
  let last_a = base_a + p.m * p.k - 1u;
  let last_b = base_b + p.n * p.k - 1u;

  //#for i MV
  //#for once SHARED_N
  let oa${i} = base_a + min(row + ${i}u * 4u + lane, p.m - 1u) * p.k;
  //#end
  //#for once A_N
  //#for q 4
  let oa${i}_${q} = base_a + min(row + ${i}u * 4u + ${q}u, p.m - 1u) * p.k;
  //#end
  //#end
  //#for once A_T
  let oa${i} = base_a + edge_a(row + ${i}u * 4u);
  //#end
  //#end
  //#for j NV
  //#for once B_T
  //#for q 4
  let ob${j}_${q} = base_b + min(col + ${j}u * 4u + ${q}u, p.n - 1u) * p.k;
  //#end
  //#end
  //#for once B_N
  let ob${j} = base_b + edge_b(col + ${j}u * 4u);
  //#end
  //#end

  //#for i MV
  //#for q 4
  //#for j NV
  //#for v 4
  var acc${i}_${q}_${j}_${v} = 0.0;
  //#end
  //#end
  //#end
  //#end

  for (var k = k_begin; k < k_main; k += 4u) {
    // ca{i}_{c}: four rows at k + c; cb{j}_{c}: four columns at k + c.
    //#for i MV
    //#for once SHARED_N
    let mine${i} = load_a(oa${i} + k, last_a);
    //#for q 4
    let ra${i}_${q} = quadBroadcast(mine${i}, ${q}u);
    //#end
    //#end
    //#for once SHARED_T
    let mine${i} = load_a(oa${i} + (k + lane) * p.m, last_a);
    //#for c 4
    let ca${i}_${c} = quadBroadcast(mine${i}, ${c}u);
    //#end
    //#end
    //#for once OWN_N
    //#for q 4
    let ra${i}_${q} = load_a(oa${i}_${q} + k, last_a);
    //#end
    //#end
    //#for once A_N
    //#for c 4
    let ca${i}_${c} = vec4f(ra${i}_0[${c}], ra${i}_1[${c}], ra${i}_2[${c}], ra${i}_3[${c}]);
    //#end
    //#end
    //#for once OWN_T
    //#for c 4
    let ca${i}_${c} = load_a(oa${i} + (k + ${c}u) * p.m, last_a);
    //#end
    //#end
    //#end
    //#for j NV
    //#for once B_T
    //#for q 4
    let rb${j}_${q} = load_b(ob${j}_${q} + k, last_b);
    //#end
    //#for c 4
    let cb${j}_${c} = vec4f(rb${j}_0[${c}], rb${j}_1[${c}], rb${j}_2[${c}], rb${j}_3[${c}]);
    //#end
    //#end
    //#for once B_N
    //#for c 4
    let cb${j}_${c} = load_b(ob${j} + (k + ${c}u) * p.n, last_b);
    //#end
    //#end
    //#end
    // A statement for each accumulator, of scalars: software adapters mask every store to a variable, and keep sums of them in registers.
    //#for i MV
    //#for q 4
    //#for j NV
    //#for v 4
    acc${i}_${q}_${j}_${v} = fma(ca${i}_3[${q}], cb${j}_3[${v}],
      fma(ca${i}_2[${q}], cb${j}_2[${v}],
      fma(ca${i}_1[${q}], cb${j}_1[${v}],
      fma(ca${i}_0[${q}], cb${j}_0[${v}], acc${i}_${q}_${j}_${v}))));
    //#end
    //#end
    //#end
    //#end
  }
  //#for once TAIL
  for (var k = k_main; k < k_end; k++) {
    //#for i MV
    //#for once A_N
    let ca${i} = vec4f(a[oa${i}_0 + k], a[oa${i}_1 + k], a[oa${i}_2 + k], a[oa${i}_3 + k]);
    //#end
    //#for once A_T
    let ca${i} = load_a(oa${i} + k * p.m, last_a);
    //#end
    //#end
    //#for j NV
    //#for once B_T
    let cb${j} = vec4f(b[ob${j}_0 + k], b[ob${j}_1 + k], b[ob${j}_2 + k], b[ob${j}_3 + k]);
    //#end
    //#for once B_N
    let cb${j} = load_b(ob${j} + k * p.n, last_b);
    //#end
    //#end
    //#for i MV
    //#for q 4
    //#for j NV
    //#for v 4
    acc${i}_${q}_${j}_${v} = fma(ca${i}[${q}], cb${j}[${v}], acc${i}_${q}_${j}_${v});
    //#end
    //#end
    //#end
    //#end
  }
  //#end

  if (live) {
    let base_out = item * p.stride_out;
    //#for once OWN
    //#for i MV
    //#for q 4
    //#for j NV
    let out${i}_${q}_${j} = vec4f(acc${i}_${q}_${j}_0, acc${i}_${q}_${j}_1, acc${i}_${q}_${j}_2, acc${i}_${q}_${j}_3);
    store(base_out, row + ${i}u * 4u + ${q}u, col + ${j}u * 4u, out${i}_${q}_${j});
    //#end
    //#end
    //#end
    //#end
    //#for once SHARE
    // Software adapters take long to compile long code: one store in a loop instead of one for each accumulator.
    let tile = array<vec4f, MT * NT / 4u>(
      //#for i MV
      //#for q 4
      //#for j NV
      vec4f(acc${i}_${q}_${j}_0, acc${i}_${q}_${j}_1, acc${i}_${q}_${j}_2, acc${i}_${q}_${j}_3),
      //#end
      //#end
      //#end
    );
    for (var i = 0u; i < MT * NT / 4u; i++) { store(base_out, row + i / (NT / 4u), col + 4u * (i % (NT / 4u)), tile[i]); }
    //#end
  }
}
