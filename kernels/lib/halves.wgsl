// lib/halves: four neighbours stored as half precision, two to a word, the lower in the low half: core WGSL, no feature needed,
//   and byte for byte what array<vec4<f16>> holds. Beyond 65504 a half is what the device makes of it: infinity, as a rule.
fn unpack_halves(words: vec2u) -> vec4f { return vec4f(unpack2x16float(words.x), unpack2x16float(words.y)); }
fn pack_halves(v: vec4f) -> vec2u { return vec2u(pack2x16float(v.xy), pack2x16float(v.zw)); }
