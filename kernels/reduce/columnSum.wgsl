// reduce/columnSum: out[g, c] = sum over r in chunk g of input[first + r * stride + c]
//   Two recordings make a full reduction: rows -> chunks, then chunks -> 1. Each sum has a fixed order, so the
//   result is bitwise the same on every run; a float atomic would not be.
// Shapes, f32: input (rows, cols) with row pitch `stride`  out (chunks, cols)
//   HALVES: the input is in half precision, see lib/halves.wgsl; cols, stride and first are multiples of 4
// Grid: x covers cols (of halves in fours), y the chunks of `chunk` rows; neighbours in x read neighbours in memory.
// Precision: f32, four running sums per chunk (of halves two); error about rows/4 * 2^-24 of the sum of absolute values at worst
struct Params { rows: u32, cols: u32, stride: u32, first: u32, chunk: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<${STORED}>;
@group(0) @binding(2) var<storage, read_write> output: array<${TYPE}>;
override WG: u32 = 64u;

@compute @workgroup_size(WG) fn main(@builtin(global_invocation_id) gid: vec3u) {
//#for plain PLAIN
  if (gid.x >= p.cols) { return; }
  let begin = gid.y * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  var at = p.first + begin * p.stride + gid.x;
  var sums = vec4f(0.0);
  var r = begin;
  for (; r + 4u <= end; r += 4u) {
    sums += vec4f(input[at], input[at + p.stride], input[at + 2u * p.stride], input[at + 3u * p.stride]);
    at += 4u * p.stride;
  }
  for (; r < end; r++) {
    sums.x += input[at];
    at += p.stride;
  }
  output[gid.y * p.cols + gid.x] = (sums.x + sums.y) + (sums.z + sums.w);
//#end
//#for halves HALVES
  let count = p.cols / 4u;
  if (gid.x >= count) { return; }
  let pitch = p.stride / 4u;
  let begin = gid.y * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  var at = p.first / 4u + begin * pitch + gid.x;
  var even = vec4f(0.0);
  var odd = vec4f(0.0);
  var r = begin;
  for (; r + 2u <= end; r += 2u) {
    even += unpack_halves(input[at]);
    odd += unpack_halves(input[at + pitch]);
    at += 2u * pitch;
  }
  if (r < end) { even += unpack_halves(input[at]); }
  output[gid.y * count + gid.x] = even + odd;
//#end
}
