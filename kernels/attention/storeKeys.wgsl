// attention/storeKeys: the end of backward and backwardKey: the gradients dk, dv of the R keys from `row` on to their places
  // A loop around what is met once: software adapters take long to compile long code.
  let dk = array<vec4f, ${R} * QUADS>(
//#for r R
//#for d Q
    dk${r}_${d},
//#end
//#end
  );
  let dv = array<vec4f, ${R} * QUADS>(
//#for r R
//#for d Q
    dv${r}_${d},
//#end
//#end
  );
  for (var r = 0u; r < ${R}u && row + r < p.tokens; r++) {
    let at = k_base + (row + r) * pitch;
    for (var d = 0u; d < QUADS; d++) {
      write_d_qkv(at, d, dk[r * QUADS + d] * p.scale);
      write_d_qkv(at + channels, d, dv[r * QUADS + d]);
    }
  }
