// attention/tileScores: the tile of products of four rows of ${ROWS_OF} (at: where each begins) with columns first + 4 tx + j of
//   ${COLUMNS_OF}, `pitch` apart from `base` on; columns after `last` repeat it. Passes barriers; leaves the panel in use.
fn scores_${ROWS_OF}_${COLUMNS_OF}(at: vec4u, base: u32, pitch: u32, first: u32, last: u32) -> mat4x4f {
//#for i 4
  var s${i} = vec4f();
//#end
  for (var chunk = 0u; chunk < Q; chunk += DC) {
    workgroupBarrier();
    for (var e = local; e < COLUMNS * DC; e += THREADS) {
      let column = e / DC;
      let d = e % DC;
      panel[((column % 4u) * CG + column / 4u) * PITCH + d] = read_${COLUMNS_OF}(base + min(first + column, last) * pitch, chunk + d);
    }
    workgroupBarrier();
    if (ty < RG) {
      let mine = tx * PITCH;
//#for d DC
      {
//#for i 4
        let c${i} = panel[mine + ${i}u * CG * PITCH + ${d}u];
//#end
//#for i 4
        {
          let a = read_${ROWS_OF}(at[${i}], chunk + ${d}u);
          s${i} += a.x * vec4f(c0.x, c1.x, c2.x, c3.x);
          s${i} += a.y * vec4f(c0.y, c1.y, c2.y, c3.y);
          s${i} += a.z * vec4f(c0.z, c1.z, c2.z, c3.z);
          s${i} += a.w * vec4f(c0.w, c1.w, c2.w, c3.w);
        }
//#end
      }
//#end
    }
  }
  return mat4x4f(s0, s1, s2, s3);
}
