// attention/tileSum: `sum` plus the weights in the panel times columns first to first + COLUMNS - 1 of ${COLUMNS_OF}, `pitch` apart from
//   `base` on; columns after `last` repeat it and have no weight.
fn add_${COLUMNS_OF}(sum: mat4x4f, base: u32, pitch: u32, first: u32, last: u32) -> mat4x4f {
//#for i 4
  var s${i} = sum[${i}];
//#end
  if (sy < RG) {
    let mine = 4u * sy * CG;
    for (var c = 0u; c < CG; c++) {
      let at = base + min(vec4u(first + 4u * c) + FOUR, vec4u(last)) * pitch;
//#for j 4
      let c${j} = read_${COLUMNS_OF}(at[${j}], sx);
//#end
//#for i 4
      {
        let w = panel[mine + ${i}u * CG + c];
        s${i} += w.x * c0;
        s${i} += w.y * c1;
        s${i} += w.z * c2;
        s${i} += w.w * c3;
      }
//#end
    }
  }
  return mat4x4f(s0, s1, s2, s3);
}
