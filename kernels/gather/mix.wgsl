// gather/mix: mixes each image with the one as far from the other end of the batch, in place
//   mixup:  x_a = w x_a + (1 - w) x_b,  x_b = w x_b + (1 - w) x_a (both of before)
//   cutmix: inside the box the two change places
//   What happens, w and the box come with the StepState, one for the whole batch. The image in the middle of an odd batch stays.
// Shapes: images (B, C, S, S) f32
// Grid: thread per pixel of the first half of the batch, folded into y. Precision: f32
// Source: timm's Mixup in mode 'batch'; Zhang et al., arXiv 1710.09412; Yun et al., arXiv 1905.04899
struct Params {
  batch: u32,
  pixels: u32,  // of one image, C S S
  size: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: StepState;
@group(0) @binding(2) var<storage, read_write> images: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.batch / 2u * p.pixels || state.mix == 0u) { return; }
  let b = i / p.pixels;
  let e = i - b * p.pixels;
  let other = (p.batch - 1u - b) * p.pixels + e;
  let mine = images[i];
  let theirs = images[other];
  if (state.mix == 1u) {
    let w = state.mix_weight;
    images[i] = w * mine + (1.0 - w) * theirs;
    images[other] = w * theirs + (1.0 - w) * mine;
  } else {
    let x = e % p.size;
    let y = e / p.size % p.size;
    if (x >= state.box_left && x < state.box_right && y >= state.box_top && y < state.box_bottom) {
      images[i] = theirs;
      images[other] = mine;
    }
  }
}
