// gather/resample: images[b] = resize(staged[b]) * scale_c + shift_c, from S to S' pixels a side
//   A pixel is the mean of its neighbours under a triangle of half width max(1, S / S') around its middle, with half-pixel
//   centres and renormalised at the edges: bilinear when growing, antialiased when shrinking, a copy at the same size.
//   One channel is repeated where the model takes more. With ERASE, the box of the image's record becomes normal noise, which is
//   what erased pixels look like after normalisation.
// Shapes: staged (B, C, S, S) f32, 0 to 255  images (B, C', S', S') f32, C' = C or C = 1
// Grid: thread per pixel of the result, folded into y. Precision: f32, rtol 1e-6 of 255 scale
// Source: torchvision.transforms.Resize with antialias
struct Params {
  pixels: u32,     // B S' S'
  channels: u32,
  outputs: u32,    // C'
  size: u32,
  out: u32,
  scale0: f32, scale1: f32, scale2: f32, scale3: f32,
  shift0: f32, shift1: f32, shift2: f32, shift3: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> staged: array<f32>;
//#for erase ERASE
@group(0) @binding(2) var<storage, read> draws: array<Draw>;
//#end
@group(0) @binding(${OUT_BINDING}) var<storage, read_write> images: array<f32>;
override WG: u32 = 64u;

// First pixel and one past the last that the triangle around `centre` reaches.
fn reach(centre: f32, half: f32) -> vec2u {
  return vec2u(u32(max(0.0, floor(centre - half))), u32(min(f32(p.size), ceil(centre + half))));
}

fn weight(j: u32, centre: f32, half: f32) -> f32 {
  return max(0.0, 1.0 - abs(f32(j) + 0.5 - centre) / half);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (wid.x + wid.y * groups.x) * WG + local;
  if (i >= p.pixels) { return; }
  let x = i % p.out;
  let y = i / p.out % p.out;
  let b = i / (p.out * p.out);
  let ratio = f32(p.size) / f32(p.out);
  let half = max(ratio, 1.0);
  let centre = (vec2f(f32(x), f32(y)) + 0.5) * ratio;
  let xs = reach(centre.x, half);
  let ys = reach(centre.y, half);
  let plane = p.size * p.size;
  var sum = vec4f(0.0);
  var total = 0.0;
  for (var sy = ys.x; sy < ys.y; sy++) {
    let wy = weight(sy, centre.y, half);
    for (var sx = xs.x; sx < xs.y; sx++) {
      let w = wy * weight(sx, centre.x, half);
      total += w;
      if (w > 0.0) {
        for (var c = 0u; c < p.channels; c++) { sum[c] += w * staged[(b * p.channels + c) * plane + sy * p.size + sx]; }
      }
    }
  }
  var value = sum / total * vec4f(p.scale0, p.scale1, p.scale2, p.scale3) + vec4f(p.shift0, p.shift1, p.shift2, p.shift3);
  if (p.channels == 1u) { value = value.xxxx; }
//#for erase ERASE
  let box = draws[b].box;
  if (x >= box[0] && x < box[2] && y >= box[1] && y < box[3]) {
    let at = y * p.out + x;
    value = vec4f(rng_normal(draws[b].key, 3u, at), rng_normal(draws[b].key, 4u, at));
  }
//#end
  for (var c = 0u; c < p.outputs; c++) { images[((b * p.outputs + c) * p.out + y) * p.out + x] = value[c]; }
}
