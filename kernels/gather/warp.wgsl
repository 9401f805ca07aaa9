// gather/warp: staged[b] = the sample's bytes behind the affine map of its record, bilinear, black outside; labels[b] = its class
//   x_source = a0 u + a1 v + t0 + (S - 1)/2,  y_source = a2 u + a3 v + t1 + (S - 1)/2,  (u, v) = (x, y) - (S - 1)/2
// Shapes: data (N, C, S, S) bytes in up to four shards of whole images  draws (B), Draw  staged (B, C, S, S) f32, 0 to 255
//   labels (B) i32
// Grid: one workgroup per image. Precision: f32; exact where the map meets whole pixels
struct Params { batch: u32, channels: u32, size: u32, per_shard: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> draws: array<Draw>;
${shards}
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let b = wid.x + wid.y * groups.x;
  if (b >= p.batch) { return; }
  let sample = draws[b].sample;
  let a = draws[b].a;
  let t = draws[b].t;
  let plane = p.size * p.size;
  let shard = sample / p.per_shard;
  let first = (sample - shard * p.per_shard) * p.channels * plane;
  let middle = 0.5 * f32(p.size - 1u);
  let last = i32(p.size) - 1;
  for (var i = thread; i < plane; i += WG) {
    let u = f32(i % p.size) - middle;
    let v = f32(i / p.size) - middle;
    let sx = a[0] * u + a[1] * v + t[0] + middle;
    let sy = a[2] * u + a[3] * v + t[1] + middle;
    let x0 = floor(sx);
    let y0 = floor(sy);
    let fx = sx - x0;
    let fy = sy - y0;
    for (var c = 0u; c < p.channels; c++) {
      var value = 0.0;
      for (var k = 0; k < 4; k++) {
        let x = i32(x0) + (k & 1);
        let y = i32(y0) + (k >> 1u);
        let weight = select(1.0 - fx, fx, (k & 1) == 1) * select(1.0 - fy, fy, k >= 2);
        if (weight > 0.0 && x >= 0 && x <= last && y >= 0 && y <= last) {
          value += weight * byte_at(shard, first + c * plane + u32(y) * p.size + u32(x));
        }
      }
      images[(b * p.channels + c) * plane + i] = value;
    }
  }
  if (thread == 0u) { labels[b] = class_of(sample); }
}
