// patchEmbed/patches: im2col of non-overlapping patches, with a row of zeros in the class token's place
//   out[b, 0, :] = 0;  out[b, 1 + py * side + px, (c, y, x)] = images[b, c, py * P + y, px * P + x]
//   The zero row lets one product over all B * T rows give the embedding, and makes dWeight = dX^T patches right as it is.
// Shapes, f32: images (B, C, S, S)  out (B, T, C * P * P), T = 1 + side^2, side = S / P
// Grid: thread per run of P pixels (one patch row of one channel), workgroups folded into y. Precision: copies
struct Params { runs: u32, tokens: u32, side: u32, extent: u32, channels: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> images: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let run = (wid.x + wid.y * groups.x) * WG + local;
  if (run >= p.runs) { return; }
  let y = run % p.extent;
  let plane = run / p.extent;
  let c = plane % p.channels;
  let row = plane / p.channels;
  let token = row % p.tokens;
  let b = row / p.tokens;
  let to = run * p.extent;
  if (token == 0u) {
    for (var x = 0u; x < p.extent; x++) { output[to + x] = 0.0; }
  } else {
    let px = (token - 1u) % p.side;
    let py = (token - 1u) / p.side;
    let width = p.side * p.extent;
    let at = ((b * p.channels + c) * width + py * p.extent + y) * width + px * p.extent;
    for (var x = 0u; x < p.extent; x++) { output[to + x] = images[at + x]; }
  }
}
