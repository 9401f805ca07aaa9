// attention/access: four dimensions of the row that starts at element `at` of ${NAME}; d counts quads
//   UNPACK and PACK are empty, or turn four stored halves into numbers and back, see lib/halves.wgsl.
//#for once READ
fn read_${NAME}(at: u32, d: u32) -> vec4f {
//#for once VEC
  return ${UNPACK}(${NAME}[at / 4u + d]);
//#end
//#for once SCALAR
  var quad = vec4f();
  for (var j = 0u; j < 4u; j++) {
    if (4u * d + j < HS) { quad[j] = ${NAME}[at + 4u * d + j]; }
  }
  return quad;
//#end
}
//#end
//#for once WRITE
fn write_${NAME}(at: u32, d: u32, quad: vec4f) {
//#for once VEC
  ${NAME}[at / 4u + d] = ${PACK}(quad);
//#end
//#for once SCALAR
  for (var j = 0u; j < 4u; j++) {
    if (4u * d + j < HS) { ${NAME}[at + 4u * d + j] = quad[j]; }
  }
//#end
}
//#end
