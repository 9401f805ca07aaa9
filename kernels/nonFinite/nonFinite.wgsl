// nonFinite/count: counts[s] += number of infinities and NaNs among the elements of segment s that lie in this window
//   by the exponent bits; a comparison such as x != x may be compiled away.
// Shapes: arena (window) words  segments (count) of (offset, length), in elements of the whole arena  counts (count) u32
// Grid: one workgroup per segment, folded into y. Precision: integers
struct Params {
  count: u32,
  first: u32,   // element of the whole arena at which the bound window starts
  window: u32,  // elements in it
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> arena: array<u32>;
@group(0) @binding(2) var<storage, read> segments: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> counts: array<u32>;
override WG: u32 = 64u;
var<workgroup> sums: array<u32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) t: u32) {
  let s = wid.x + wid.y * groups.x;
  var bad = 0u;
  if (s < p.count) {
    let segment = segments[s];
    let begin = max(segment.x, p.first);
    let end = min(segment.x + segment.y, p.first + p.window);
    for (var i = begin + t; i < end; i += WG) {
      bad += select(0u, 1u, (arena[i - p.first] & 0x7f800000u) == 0x7f800000u);
    }
  }
  sums[t] = bad;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { sums[t] += sums[t + half]; }
  }
  if (t == 0u && s < p.count) { counts[s] += sums[0]; }
}
