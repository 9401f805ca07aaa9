// gather/draw: everything that is drawn for one image of a strongly augmented batch, into a record
//   a, t: affine map from a pixel of the result to the source, both measured from the image's middle: crop after flip after the
//     two operations, as far as these are geometric. Composed, so that the image is interpolated once.
//   kinds, amounts: what happens to the colours, in this order: the two operations, then jitter of brightness, contrast and
//     saturation by factors in [1 - JITTER, 1 + JITTER].
//   box: what random erasing overwrites, with probability ERASE, in pixels of the model's input; empty otherwise. Its share of
//     the area is uniform in [0.02, 1/3], the logarithm of its aspect ratio in [log 0.3, -log 0.3]; clipped to the image.
//   Operations: two of twelve, with torchvision's ranges at magnitude 9 of 30 and a random sign: identity, shear (0.09) along x
//     or y, shift (0.136 of the side, whole pixels) along x or y, rotation (9 degrees), brightness, saturation or contrast
//     (1 +- 0.27), posterize (to 7 bits), solarize (from 178.5), autocontrast.
//   Every number is a function of (seed, epoch, sample). Mirror: augment.ts.
// Shapes: draws (batch), Draw
// Grid: thread per image, folded into y. Precision: f32; choices are exact, sine, cosine and exp are the device's
// Source: Cubuk et al., arXiv 1909.13719; Zhong et al., arXiv 1708.04896
struct Params {
  batch: u32,
  first: u32,
  pad: u32,
  flip: u32,
  size: u32,   // side of the data set's images
  out: u32,    // side of the model's input
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: StepState;
@group(0) @binding(2) var<storage, read_write> draws: array<Draw>;
override WG: u32 = 64u;
const OPERATIONS = ${OPERATIONS}u;
const SHEAR = ${SHEAR};
const SHIFT = ${SHIFT};
const ROTATE = ${ROTATE};
const FACTOR = ${FACTOR};
const POSTERIZE = ${POSTERIZE};
const SOLARIZE = ${SOLARIZE};
const JITTER = ${JITTER};
const ERASE = ${ERASE};
const LOG_ASPECT = ${LOG_ASPECT};

fn uniform_of(key: u32, counter: u32) -> f32 {
  return rng_uniform(rng_u32(key, 1u, counter));
}

// inverse of the operation, from the result to its source
fn geometric(operation: u32, amount: f32) -> mat3x3f {
  var m = mat3x3f(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0);
  switch operation {
    case 1u: { m[1].x = amount; }
    case 2u: { m[0].y = amount; }
    case 3u: { m[2].x = amount; }
    case 4u: { m[2].y = amount; }
    case 5u: {
      let c = cos(amount);
      let s = sin(amount);
      m[0] = vec3f(c, s, 0.0);
      m[1] = vec3f(-s, c, 0.0);
    }
    default: {}
  }
  return m;
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let b = (wid.x + wid.y * groups.x) * WG + local;
  if (b >= p.batch) { return; }
  let chosen = sample_at(p.first + b);
  let crop = crop_of(chosen.y, chosen.x, p.pad, p.flip);
  let key = rng_u32(chosen.y, 1u, chosen.x);
  var draw: Draw;
  draw.sample = chosen.x;
  draw.key = key;

  var map = mat3x3f(select(1.0, -1.0, crop.z == 1u), 0.0, 0.0, 0.0, 1.0, 0.0,
    f32(crop.x) - f32(p.pad), f32(crop.y) - f32(p.pad), 1.0);
  for (var k = 0u; k < 2u; k++) {
    let operation = rng_u32(key, 2u, k) % OPERATIONS;
    let sign = select(1.0, -1.0, uniform_of(key, k) < 0.5);
    var amount = 0.0;
    switch operation {
      case 1u, 2u: { amount = sign * SHEAR; }
      case 3u, 4u: { amount = sign * floor(SHIFT * f32(p.size)); }
      case 5u: { amount = sign * ROTATE; }
      case 6u, 7u, 8u: { amount = 1.0 + sign * FACTOR; }
      case 9u: { amount = POSTERIZE; }
      case 10u: { amount = SOLARIZE; }
      default: {}
    }
    if (operation < 6u) { map = map * geometric(operation, amount); } else {
      draw.kinds[k] = operation;
      draw.amounts[k] = amount;
    }
  }
  var jitter = array(6u, 8u, 7u);
  for (var k = 0u; k < 3u; k++) {
    // Brightness, contrast, saturation.
    draw.kinds[2u + k] = jitter[k];
    draw.amounts[2u + k] = 1.0 + JITTER * (2.0 * uniform_of(key, 2u + k) - 1.0);
  }
  draw.a = array(map[0].x, map[1].x, map[0].y, map[1].y);
  draw.t = array(map[2].x, map[2].y);

  if (uniform_of(key, 5u) < ERASE) {
    let side = f32(p.out);
    let area = (0.02 + uniform_of(key, 6u) * (1.0 / 3.0 - 0.02)) * side * side;
    let aspect = exp((2.0 * uniform_of(key, 7u) - 1.0) * LOG_ASPECT);
    let width = min(p.out, u32(round(sqrt(area / aspect))));
    let height = min(p.out, u32(round(sqrt(area * aspect))));
    let left = u32(uniform_of(key, 8u) * f32(p.out - width + 1u));
    let top = u32(uniform_of(key, 9u) * f32(p.out - height + 1u));
    draw.box = array(left, top, left + width, top + height);
  }
  draws[b] = draw;
}
