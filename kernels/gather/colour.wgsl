// gather/colour: the colour operations of each image's record, in their order, in place; every result is clamped to [0, 255]
//   6 brightness  f x                                  9 posterize     x rounded down to a multiple of f
//   7 saturation  f x + (1 - f) grey(x)               10 solarize      255 - x where x >= f
//   8 contrast    f x + (1 - f) mean of grey          11 autocontrast  each channel stretched to [0, 255], unless it is flat
//   grey = 0.299 R + 0.587 G + 0.114 B; of an image without three channels, its first channel, and saturation does nothing.
// Shapes: draws (B), Draw  staged (B, C, S, S) f32, 0 to 255
// Grid: one workgroup per image; a thread keeps to its own pixels. Precision: f32, sums in a fixed order
// Source: the definitions of torchvision.transforms.functional
struct Params { batch: u32, channels: u32, plane: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> draws: array<Draw>;
@group(0) @binding(2) var<storage, read_write> staged: array<f32>;
override WG: u32 = 64u;
var<workgroup> sums: array<f32, WG>;
var<workgroup> lows: array<vec4f, WG>;
var<workgroup> highs: array<vec4f, WG>;

fn load(base: u32, i: u32) -> vec4f {
  var x = vec4f(0.0);
  for (var c = 0u; c < p.channels; c++) { x[c] = staged[base + c * p.plane + i]; }
  return x;
}

fn grey(x: vec4f) -> f32 {
  return select(x.x, dot(x.xyz, vec3f(0.299, 0.587, 0.114)), p.channels == 3u);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let b = wid.x + wid.y * groups.x;
  if (b >= p.batch) { return; }
  let base = b * p.channels * p.plane;
  for (var k = 0u; k < 5u; k++) {
    let kind = draws[b].kinds[k];
    let f = draws[b].amounts[k];
    if (kind == 0u) { continue; }
    if (kind == 8u || kind == 11u) {
      var sum = 0.0;
      var low = vec4f(255.0);
      var high = vec4f(0.0);
      for (var i = thread; i < p.plane; i += WG) {
        let x = load(base, i);
        sum += grey(x);
        low = min(low, x);
        high = max(high, x);
      }
      sums[thread] = sum;
      lows[thread] = low;
      highs[thread] = high;
      for (var half = WG / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
          sums[thread] += sums[thread + half];
          lows[thread] = min(lows[thread], lows[thread + half]);
          highs[thread] = max(highs[thread], highs[thread + half]);
        }
      }
      workgroupBarrier();
    }
    let mean = sums[0] / f32(p.plane);
    let low = lows[0];
    let range = highs[0] - low;
    let stretch = select(255.0 / max(range, vec4f(1e-6)), vec4f(1.0), range <= vec4f(0.0));
    for (var i = thread; i < p.plane; i += WG) {
      var x = load(base, i);
      switch kind {
        case 6u: { x *= f; }
        case 7u: { x = select(x, f * x + (1.0 - f) * grey(x), p.channels == 3u); }
        case 8u: { x = f * x + (1.0 - f) * mean; }
        // Graphics cards divide to a few ulp: a whole multiple must not fall to the one below.
        case 9u: { x = floor(x / f + 1e-4) * f; }
        case 10u: { x = select(x, 255.0 - x, x >= vec4f(f)); }
        default: { x = (x - select(low, vec4f(0.0), range <= vec4f(0.0))) * stretch; }
      }
      x = clamp(x, vec4f(0.0), vec4f(255.0));
      for (var c = 0u; c < p.channels; c++) { staged[base + c * p.plane + i] = x[c]; }
    }
    // The next operation reuses the shared results.
    workgroupBarrier();
  }
}
