// reduce/columnParts: out[g, c] = sum over r in chunk g of input[r, c], the first stage of columnSum.wgsl for graphics cards:
//   sixteen rows at a time, four columns to a thread
// Shapes, f32: input (rows, cols)  out (chunks, cols)  cols is a multiple of 4; STORED: in half precision, see lib/halves.wgsl
// Grid: x covers cols by 64, y the chunks of `chunk` rows; finish.wgsl adds the chunks up. Fixed order, no atomics
// Precision: f32, 16 chains of chunk/16 rows
struct Params { rows: u32, cols: u32, chunk: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<${STORED}>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
var<workgroup> quads: array<vec4f, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u) {
  let count = p.cols / 4u;
  let c = wid.x * 16u + local % 16u;
  let end = min((wid.y + 1u) * p.chunk, p.rows);
  var sum = vec4f();
  if (c < count) {
    var r = wid.y * p.chunk + local / 16u;
    for (; r + 48u < end; r += 64u) {
      let at = r * count + c;
      let low = ${UNPACK}(input[at]) + ${UNPACK}(input[at + 16u * count]);
      sum += low + (${UNPACK}(input[at + 32u * count]) + ${UNPACK}(input[at + 48u * count]));
    }
    for (; r < end; r += 16u) { sum += ${UNPACK}(input[r * count + c]); }
  }
  quads[local] = sum;
  workgroupBarrier();
  if (local < 16u && c < count) {
    for (var k = 16u; k < 256u; k += 16u) { sum += quads[k + local]; }
    output[wid.y * count + c] = sum;
  }
}
