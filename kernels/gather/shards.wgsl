// gather/shards: the bindings 2 to 8 that every kernel reading the data set's bytes has, and one byte of it
@group(0) @binding(2) var<storage, read> shard0: array<u32>;
@group(0) @binding(3) var<storage, read> shard1: array<u32>;
@group(0) @binding(4) var<storage, read> shard2: array<u32>;
@group(0) @binding(5) var<storage, read> shard3: array<u32>;
@group(0) @binding(6) var<storage, read> classes: array<u32>;
@group(0) @binding(7) var<storage, read_write> images: array<f32>;
@group(0) @binding(8) var<storage, read_write> labels: array<i32>;
fn word(shard: u32, index: u32) -> u32 {
  switch shard {
    case 0u: { return shard0[index]; }
    case 1u: { return shard1[index]; }
    case 2u: { return shard2[index]; }
    default: { return shard3[index]; }
  }
}

// Byte `at` of a shard, 0 to 255.
fn byte_at(shard: u32, at: u32) -> f32 {
  return f32((word(shard, at >> 2u) >> ((at & 3u) * 8u)) & 255u);
}

fn class_of(sample: u32) -> i32 {
  return i32((classes[sample >> 1u] >> ((sample & 1u) * 16u)) & 0xffffu);
}
