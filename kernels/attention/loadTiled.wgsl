// attention/loadTiled: element `at` of ${NAME}, which holds f32 (PLAIN) or two halves to a word (HALVES, see lib/halves.wgsl)
//#for once PLAIN
fn load_${NAME}(at: u32) -> f32 { return ${NAME}[at]; }
//#end
//#for once HALVES
fn load_${NAME}(at: u32) -> f32 {
  let pair = unpack2x16float(${NAME}[at / 2u]);
  return select(pair.x, pair.y, (at & 1u) == 1u);
}
//#end
