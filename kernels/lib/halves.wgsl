// lib/halves: four neighbours stored as half precision, two to a word, the lower in the low half: core WGSL, no feature needed,
//   and byte for byte what array<vec4<f16>> holds. Beyond 65504 WGSL leaves open what a conversion gives: there it is NaN, so that an
//   overflow is seen on every device.
fn unpack_halves(words: vec2u) -> vec4f { return vec4f(unpack2x16float(words.x), unpack2x16float(words.y)); }
fn pack_pair(v: vec2f) -> u32 { return pack_halves(vec4f(v, 0.0, 0.0)).x; }
fn pack_halves(v: vec4f) -> vec2u {
  let lost = select(vec4u(0x7e00u), vec4u(0u), abs(v) <= vec4f(65504.0));
  return vec2u(pack2x16float(v.xy), pack2x16float(v.zw)) | vec2u(lost.x | (lost.y << 16u), lost.z | (lost.w << 16u));
}
