// reduce/finish: grads[to + c] = sum over g of parts[from + g * pitch + c], for several sums in one dispatch
//   A sum is two vec4u: (end, from, pitch, chunks), (to, cols, 0, 0); `end` counts workgroups, and those of a sum follow those of the
//   one before it. Sums that are not there have the end of the last.
// Shapes, f32: parts and grads as the sums say; grads holds elements that no sum names, which stay
// Grid: workgroup per 16 columns of a sum, folded into y; 16 threads to a column. Precision: f32, fixed order
struct Params { sums: array<vec4u, ${WORDS}> }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> grads: array<f32>;
var<workgroup> room: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let group = wid.x + wid.y * groups.x;
  if (group >= p.sums[${WORDS}u - 2u].x) { return; }
  var i = 0u;
  var first = 0u;
  while (group >= p.sums[i].x) {
    first = p.sums[i].x;
    i += 2u;
  }
  let a = p.sums[i];
  let b = p.sums[i + 1u];
  let c = (group - first) * 16u + local % 16u;
  var sum = 0.0;
  if (c < b.y) {
    var g = local / 16u;
    for (; g + 16u < a.w; g += 32u) {
      let at = a.y + g * a.z + c;
      sum += parts[at] + parts[at + 16u * a.z];
    }
    if (g < a.w) { sum += parts[a.y + g * a.z + c]; }
  }
  room[local] = sum;
  workgroupBarrier();
  if (local < 16u && c < b.y) {
    for (var k = 16u; k < 256u; k += 16u) { sum += room[k + local]; }
    grads[b.x + c] = sum;
  }
}
