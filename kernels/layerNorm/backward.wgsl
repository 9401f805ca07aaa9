// layerNorm/backward: dx as in backwardInput.wgsl, and of the chunk of rows that a workgroup has, summed over its rows,
//   dGamma = dy * xhat,  dBeta = dy,  and what dx holds at the end: the bias gradient of the layer whose output x's stream adds
//   One read of every operand instead of two, for graphics cards.
// Shapes, row-major f32: dy, x, dx (rows, cols)  gamma (cols)  stats (rows) pairs (mean, rstd)  parts (chunks, 3, cols)
//   cols is a multiple of 4, at most 4 LANES NV.  STORED: dy may be kept in half precision, see lib/halves.wgsl
// Grid: workgroup per chunk of `chunk` rows, folded into y; LANES threads share a row, ROWS rows at a time, and a thread keeps the
//   sums of its NV quads of columns. finish.wgsl of kernels/reduce adds the chunks up. Fixed order, no atomics
// Precision: f32
struct Params { rows: u32, cols: u32, accumulate: u32, chunk: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<${STORED}>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> parts: array<vec4f>;
const LANES = ${LANES}u;
const ROWS = ${ROWS}u;
/// Two halves that take turns, so that a row costs one barrier.
var<workgroup> sums: array<vec2f, 512>;
var<workgroup> quads: array<vec4f, 256 * ${NV}>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let group = wid.x + wid.y * groups.x;
  let begin = group * p.chunk;
  if (begin >= p.rows) { return; }
  let end = min(begin + p.chunk, p.rows);
  let lane = local % LANES;
  let slot = local / LANES;
  let count = p.cols / 4u;
//#for j NV
  let c${j} = lane + ${j}u * LANES;
  let gamma${j} = gamma[min(c${j}, count - 1u)];
  var d_gamma${j} = vec4f();
  var d_beta${j} = vec4f();
  var d_sum${j} = vec4f();
//#end
  var turn = 0u;
  for (var top = begin; top < end; top += ROWS) {
    let row = min(top + slot, end - 1u);
    let live = top + slot < end;
    let base = row * count;
    let s = stats[row];
    var both = vec2f();
//#for j NV
    let has${j} = live && c${j} < count;
    var g${j} = vec4f();
    var xhat${j} = vec4f();
    if (has${j}) {
      g${j} = ${UNPACK}(dy[base + c${j}]);
      xhat${j} = (x[base + c${j}] - s.x) * s.y;
    }
    d_gamma${j} += g${j} * xhat${j};
    d_beta${j} += g${j};
    g${j} *= gamma${j};
    both += vec2f(dot(g${j}, vec4f(1.0)), dot(g${j}, xhat${j}));
//#end
    sums[turn + local] = both;
    workgroupBarrier();
    var means = vec2f();
    for (var k = 0u; k < LANES; k++) { means += sums[turn + slot * LANES + k]; }
    means /= f32(p.cols);
//#for j NV
    if (has${j}) {
      var value = s.y * (g${j} - means.x - xhat${j} * means.y);
      if (p.accumulate == 1u) { value += dx[base + c${j}]; }
      dx[base + c${j}] = value;
      d_sum${j} += value;
    }
//#end
    turn = 256u - turn;
  }
  // A loop, since software adapters take long to compile long code.
  for (var kind = 0u; kind < 3u; kind++) {
    workgroupBarrier();
//#for j NV
    quads[${j}u * 256u + local] = select(select(d_sum${j}, d_beta${j}, kind == 1u), d_gamma${j}, kind == 0u);
//#end
    workgroupBarrier();
    for (var c = local; c < count; c += 256u) {
      var total = vec4f();
      for (var r = 0u; r < ROWS; r++) { total += quads[(c / LANES) * 256u + r * LANES + c % LANES]; }
      parts[(group * 3u + kind) * count + c] = total;
    }
  }
}
