// gather/order: which sample stands at a place of the batch, and the key of its augmentation; see gather.wgsl. Mirror: gather.ts.
//   Feistel: (l, r) -> (r, l ^ (hash(key, round, r) & mask)), ROUNDS times on 2 h bits, 4^h >= count, h >= 1.
const ROUNDS = 6u;

fn shuffled(key: u32, place: u32, count: u32) -> u32 {
  // Half the bits of count - 1, rounded up.
  let half = max(1u, (33u - countLeadingZeros(count - 1u)) / 2u);
  let mask = (1u << half) - 1u;
  var k = place;
  // The walk visits less than 4^h / count <= 4 numbers on average, and always ends: the start itself lies on its cycle.
  loop {
    var l = k >> half;
    var r = k & mask;
    for (var round = 0u; round < ROUNDS; round++) {
      let mixed = l ^ (rng_u32(key, round, r) & mask);
      l = r;
      r = mixed;
    }
    k = (l << half) | r;
    if (k < count) { break; }
  }
  return k;
}

// (sample, key of the epoch's augmentation) of image b of the batch.
fn sample_at(b: u32) -> vec2u {
  let count = max(1u, state.train_count);
  let place = state.position + b;
  let epoch = state.epoch + place / count;
  let sample = shuffled(rng_u32(state.seed, STREAM_SHUFFLE, epoch), place % count, count);
  return vec2u(sample, rng_u32(state.seed, STREAM_AUGMENT, epoch));
}

// Crop offsets (x, y) in [0, 2 pad], and 1 for a flip.
fn crop_of(key: u32, sample: u32, pad: u32, may_flip: u32) -> vec3u {
  let bits = rng_u32(key, 0u, sample);
  let span = 2u * pad + 1u;
  return vec3u(bits % span, bits / span % span, (bits / (span * span)) % 2u * may_flip);
}
