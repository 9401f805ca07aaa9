// svd/load: A = W / scale or W^T / scale as zero-padded columns.
// Shapes: arena f32; a: k columns of pv vec4s per matrix
// Grid: thread per EACH vec4s of a column, x folded over (j, run), y = matrix. Precision: exact (a power of two)
// Source: ours
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> state: array<State>;
@group(0) @binding(2) var<storage, read> arena: array<f32>;
@group(0) @binding(3) var<storage, read_write> a: array<vec4f>;
override WG: u32 = 64u;
override EACH: u32 = 1u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let pv = table[wid.y].pv;
  let p = table[wid.y].p;
  let runs = (pv + EACH - 1u) / EACH;
  let t = wid.x * WG + lid.x;
  let j = t / runs;
  let begin = EACH * (t % runs);
  let end = select(begin, min(begin + EACH, pv), j < table[wid.y].k);
  let transposed = table[wid.y].transposed == 1u;
  // Along a column of A one steps by 1 in W^T and by a row of W otherwise.
  let cols = table[wid.y].cols;
  let step = select(cols, 1u, transposed);
  let first = table[wid.y].w + select(j, j * cols, transposed);
  let column = table[wid.y].y + j * pv;
  let scale = state[wid.y].scale;
  for (var e = begin; e < end; e++) {
    let rows = vec4u(4u * e) + vec4u(0u, 1u, 2u, 3u);
    let at = vec4u(first) + step * min(rows, vec4u(p - 1u));
    let x = vec4f(arena[at.x], arena[at.y], arena[at.z], arena[at.w]);
    a[column + e] = select(vec4f(), x, rows < vec4u(p)) / scale;
  }
}
