// gather/drawRecord: what is drawn for one strongly augmented image; see draw.wgsl. Mirror: readDraw in augment.ts.
struct Draw {
  sample: u32,
  key: u32,                // of the image's random numbers
  box: array<u32, 4>,      // left, top, right, bottom of what is erased
  a: array<f32, 4>,        // row by row
  t: array<f32, 2>,
  kinds: array<u32, 5>,    // colour operations, 0 none
  amounts: array<f32, 5>,
}
