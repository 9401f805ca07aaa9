// svd/meetLanes: svd/meet for software adapters: the four lanes of a subgroup share eight columns, lane l having every fourth row.
//   Loads and sums are what counts there, wherever the lanes read. So only the 16 pairs between the two blocks are turned, and G has only
//   their products, not those within a block: these have two rounds of a sweep to themselves, the first ones, and what the others leave of
//   them is little. G and D are spread over the lanes: each has a column of the first block and one of the second, which it turns, and
//   the second block moves on. Lane l has column l of one and l, l ^ 1, l ^ 3, l ^ 2 of the other.
// Shapes: y, v as in svd/meet, in f32. Precision: as svd/meet
// Source: Hestenes 1958; Demmel and Veselic 1992; rotation by tan(theta/2) after Rutishauser 1966

fn total(x: f32) -> f32 {
  let two = x + quadSwapX(x);
  return two + quadSwapY(two);
}

fn largest(x: f32) -> f32 {
  let two = max(x, quadSwapX(x));
  return max(two, quadSwapY(two));
}

// What lane l has at place l.
fn own(lane: u32, x: vec4f) -> f32 {
  return select(select(x.x, x.y, (lane & 1u) == 1u), select(x.z, x.w, (lane & 1u) == 1u), lane > 1u);
}

// Meeting q of a round; the largest |cos| of a pair that it may turn, 0 where nobody meets. All lanes of a subgroup call it together.
fn meet(m: Matrix, ell: u32, round: u32, q: u32, lane: u32, kind: u32, idle: f32) -> f32 {
  let blocks = (ell + 3u) / 4u;
  let n = blocks + (blocks & 1u);
  let alone = kind != LONG;
  let height = 4u * select(m.pv, blocks, alone);
  let stride = 4u * height_of(m, kind);
  let base = 4u * first_of(m, kind) + lane;
  let turned = 4u * select(m.kv, 0u, alone);
  let meets = q < n / 2u;
  // Rounds 0 and 1: eight columns side by side, cut so that columns of a block of four are in different halves once in either.
  // 2 to n: two blocks of the tournament.
  let within = round < 2u;
  let turn = n - 1u;
  let i = (round - 2u + q) % turn;
  let j = select((round - 2u + turn - q % turn) % turn, turn, q == 0u);
  let first = select(4u * min(i, j), 8u * q, within);
  let second = select(4u * max(i, j), 8u * q + 2u - round, within);
  let at = select(vec4u(0u, 1u, 2u, 3u), select(vec4u(0u, 2u, 4u, 6u), vec4u(0u, 1u, 4u, 5u), round == 0u), within);
  // Columns may not exist in the last block and in the one that evens their number: they count as zero and stay unwritten.
  //#for a 8
  let col${a} = select(first, second, ${a}u > 3u) + at[${a}u % 4u];
  let there${a} = meets && col${a} < ell;
  let at${a} = min(col${a}, ell - 1u);
  let y${a} = base + at${a} * stride;
  var n${a} = 0.0;
  //#end
  //#for a 4
  //#for b 4
  var g${a}_${b} = 0.0;
  //#end
  //#end
  for (var e = 0u; e < select(0u, height, meets); e += 4u) {
    //#for a 8
    let x${a} = y[y${a} + e];
    n${a} = fma(x${a}, x${a}, n${a});
    //#end
    //#for a 4
    g${a}_0 = fma(x${a}, x4, g${a}_0);
    g${a}_1 = fma(x${a}, x5, g${a}_1);
    g${a}_2 = fma(x${a}, x6, g${a}_2);
    g${a}_3 = fma(x${a}, x7, g${a}_3);
    //#end
  }
  //#for a 8
  let h${a} = select(0.0, total(n${a}), there${a});
  //#end
  //#for a 4
  let h${a}_0 = select(0.0, total(g${a}_0), there${a} && there4);
  let h${a}_1 = select(0.0, total(g${a}_1), there${a} && there5);
  let h${a}_2 = select(0.0, total(g${a}_2), there${a} && there6);
  let h${a}_3 = select(0.0, total(g${a}_3), there${a} && there7);
  //#end
  // Rows of G in this lane's column of the first block, p, and of the second, q.
  let norm_p = own(lane, vec4f(h0, h1, h2, h3));
  let norm_q = own(lane, vec4f(h4, h5, h6, h7));
  //#for a 4
  var p${a} = select(0.0, norm_p, lane == ${a}u);
  var q${a} = own(lane, vec4f(h${a}_0, h${a}_1, h${a}_2, h${a}_3));
  //#end
  var p4 = own(lane, vec4f(h0_0, h1_0, h2_0, h3_0));
  var q4 = select(0.0, norm_q, lane == 0u);
  var p5 = own(lane, vec4f(h0_1, h1_1, h2_1, h3_1));
  var q5 = select(0.0, norm_q, lane == 1u);
  var p6 = own(lane, vec4f(h0_2, h1_2, h2_2, h3_2));
  var q6 = select(0.0, norm_q, lane == 2u);
  var p7 = own(lane, vec4f(h0_3, h1_3, h2_3, h3_3));
  var q7 = select(0.0, norm_q, lane == 3u);
  // Columns that do not exist have norm 0, hence cosine 0 and no rotation.
  let worst = largest(max(max(cosine(h0, norm_q, q0), cosine(h1, norm_q, q1)), max(cosine(h2, norm_q, q2), cosine(h3, norm_q, q3))));
  // A loop: a software adapter runs straight code whether or not a lane is left in it, but leaves a loop that nobody is in.
  for (var once = select(0u, 1u, worst > idle); once > 0u; once--) {
    // Rows of D in the same columns: the unit vectors are apart, so that small differences keep their digits.
    //#for a 8
    var c${a} = 0.0;
    var d${a} = 0.0;
    //#end
    //#for a 4
    let u${a} = select(0.0, 1.0, lane == ${a}u);
    var v${a} = u${a};
    //#end
    for (var half = 0u; half < 2u; half++) {
      ${turnX}
      ${turnY}
    }
    // D, whose columns are back at home, for all lanes.
    //#for r 8
    //#for a 4
    let first${r}_${a} = quadBroadcast(c${r}, ${a}u);
    let second${r}_${a} = quadBroadcast(d${r}, ${a}u);
    //#end
    //#end
    for (var e = 0u; e < height; e += 4u) {
      //#for a 8
      let x${a} = y[y${a} + e];
      //#end
      //#for a 4
      let s${a} = fma(first0_${a}, x0, fma(first1_${a}, x1, fma(first2_${a}, x2, fma(first3_${a}, x3, fma(first4_${a}, x4, fma(first5_${a}, x5, fma(first6_${a}, x6, first7_${a} * x7)))))));
      let t${a} = fma(second0_${a}, x0, fma(second1_${a}, x1, fma(second2_${a}, x2, fma(second3_${a}, x3, fma(second4_${a}, x4, fma(second5_${a}, x5, fma(second6_${a}, x6, second7_${a} * x7)))))));
      //#end
      if (there0) { y[y0 + e] = x0 + s0; }
      if (there1) { y[y1 + e] = x1 + s1; }
      if (there2) { y[y2 + e] = x2 + s2; }
      if (there3) { y[y3 + e] = x3 + s3; }
      if (there4) { y[y4 + e] = x4 + t0; }
      if (there5) { y[y5 + e] = x5 + t1; }
      if (there6) { y[y6 + e] = x6 + t2; }
      if (there7) { y[y7 + e] = x7 + t3; }
    }
    //#for a 8
    let v_at${a} = 4u * (m.v + at${a} * m.kv) + lane;
    //#end
    for (var e = 0u; e < turned; e += 4u) {
      //#for a 8
      let x${a} = v[v_at${a} + e];
      //#end
      //#for a 4
      let s${a} = fma(first0_${a}, x0, fma(first1_${a}, x1, fma(first2_${a}, x2, fma(first3_${a}, x3, fma(first4_${a}, x4, fma(first5_${a}, x5, fma(first6_${a}, x6, first7_${a} * x7)))))));
      let t${a} = fma(second0_${a}, x0, fma(second1_${a}, x1, fma(second2_${a}, x2, fma(second3_${a}, x3, fma(second4_${a}, x4, fma(second5_${a}, x5, fma(second6_${a}, x6, second7_${a} * x7)))))));
      //#end
      if (there0) { v[v_at0 + e] = x0 + s0; }
      if (there1) { v[v_at1 + e] = x1 + s1; }
      if (there2) { v[v_at2 + e] = x2 + s2; }
      if (there3) { v[v_at3 + e] = x3 + s3; }
      if (there4) { v[v_at4 + e] = x4 + t0; }
      if (there5) { v[v_at5 + e] = x5 + t1; }
      if (there6) { v[v_at6 + e] = x6 + t2; }
      if (there7) { v[v_at7 + e] = x7 + t3; }
    }
  }
  return worst;
}
