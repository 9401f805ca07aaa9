// matmul/reduce: out = epilogue(sum_s partial_s), s ascending: the second half of a product split over K
// Shapes, row-major f32: partial (batch, splits, M, N), its items stride_partial elements apart; out as matmul/output.
// Grid: one invocation per four columns of a row, folded over x and y. Precision: f32
const WG = 64u;
@group(0) @binding(1) var<storage, read> partial: array<${TYPE}>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let quads = (p.n + 3u) / 4u;
  let index = (wid.x + wid.y * groups.x) * WG + lid.x;
  let col = (index % quads) * 4u;
  let row = (index / quads) % p.m;
  let batch = index / quads / p.m;
  if (batch < p.batch) {
    var sum = vec4f();
    //#for once VEC
    // Eight at a time: the loads are on their way together. Adding up in order keeps the bits.
    let first = batch * p.splits * p.stride_partial + row * p.n + col;
    let whole = p.splits & ~7u;
    for (var s = 0u; s < whole; s += 8u) {
      //#for i 8
      let v${i} = partial[(first + (s + ${i}u) * p.stride_partial) / 4u];
      //#end
      //#for i 8
      sum += v${i};
      //#end
    }
    for (var s = whole; s < p.splits; s++) { sum += partial[(first + s * p.stride_partial) / 4u]; }
    //#end
    //#for once SCALAR
    for (var s = 0u; s < p.splits; s++) {
      let at = (batch * p.splits + s) * p.stride_partial + row * p.n + col;
      let left = p.n - col - 1u;
      sum += vec4f(partial[at], partial[at + min(1u, left)], partial[at + min(2u, left)], partial[at + min(3u, left)]);
    }
    //#end
    store(batch * p.stride_out, row, col, sum);
  }
}
