// gather/train: images[b] = augment(data[sample(position + b)]) * scale_c + shift_c,  labels[b] = classes[sample]
//   sample(k): a seeded bijection of [0, train_count) for each epoch. A balanced Feistel network permutes the next power of
//   four; numbers beyond the count walk on along their cycle until they are inside, which keeps it a bijection.
//   A batch that passes the end of an epoch goes on in the next epoch's order.
//   augment: crop at (dy, dx) of [0, 2 pad] from the image padded with raw 0 (black, before normalisation, as torchvision),
//   then a flip with probability 1/2 where the set allows it; drawn from (seed, epoch, sample), so they do not depend on the batch size.
// gather/sequential: the same without shuffle and augmentation; samples first + b, the last one repeated past the end.
// Shapes: data (N, C, S, S) bytes in up to four shards of whole images  classes (N) u16
//   images (B, C, S, S) f32  labels (B) i32.  scale = 1/(255 std), shift = -mean/std.
// Grid: one workgroup per sample. Precision: indices exact; one product and one sum per pixel, rtol 2e-7
struct Params {
  batch: u32,
  first: u32,      // of the batch's images, the first of this part
  channels: u32,
  size: u32,
  count: u32,
  per_shard: u32,  // images in each shard but the last
  pad: u32,
  flip: u32,       // 0 where mirrored images would be of another class
  scale0: f32, scale1: f32, scale2: f32, scale3: f32,
  shift0: f32, shift1: f32, shift2: f32, shift3: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
${source}
${shards}override WG: u32 = 64u;

struct Choice {
  sample: u32,
  dx: u32,
  dy: u32,
  flip: bool,
}
${choose}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let b = wid.x + wid.y * groups.x;
  if (b >= p.batch) { return; }
  // Every thread repeats the choice: a few hundred integer operations, against a second dispatch or a barrier.
  let choice = choose(b);
  let plane = p.size * p.size;
  let pixels = p.channels * plane;
  let shard = choice.sample / p.per_shard;
  let first = (choice.sample - shard * p.per_shard) * pixels;
  let scale = vec4f(p.scale0, p.scale1, p.scale2, p.scale3);
  let shift = vec4f(p.shift0, p.shift1, p.shift2, p.shift3);
  for (var i = thread; i < pixels; i += WG) {
    let c = i / plane;
    let y = (i - c * plane) / p.size;
    let x = i - c * plane - y * p.size;
    // Unsigned: a coordinate left of the image wraps to a large number and fails the same test as one right of it.
    let sy = y + choice.dy - p.pad;
    let sx = select(x, p.size - 1u - x, choice.flip) + choice.dx - p.pad;
    var value = 0.0;
    if (sy < p.size && sx < p.size) {
      let at = first + c * plane + sy * p.size + sx;
      value = byte_at(shard, at);
    }
    images[b * pixels + i] = value * scale[c] + shift[c];
  }
  if (thread == 0u) { labels[b] = class_of(choice.sample); }
}
