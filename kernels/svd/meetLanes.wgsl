// svd/meetLanes: svd/meet for software adapters: the four lanes of a subgroup share eight columns, lane l having every fourth row.
//   What the lanes load lies side by side, which there costs a fraction of loads from four places.
//   Only the 16 pairs between the two blocks are turned: those within a block take two rounds of a sweep, not a part of every meeting.
//   G and D, too, are spread: a lane has a column of the first block and one of the second, which it turns, and the second moves on:
//   lane l holds column l of one and l, l ^ 1, l ^ 3, l ^ 2 of the other.
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
  // Rounds 0 to n - 2: two blocks of the tournament. n - 1 and n: eight columns side by side, cut so that columns of a block of four are in
  // different halves once in either.
  let turn = n - 1u;
  let i = (round + q) % turn;
  let j = select((round + turn - q % turn) % turn, turn, q == 0u);
  let within = round >= turn;
  let first = select(4u * min(i, j), 8u * q, within);
  let second = select(4u * max(i, j), 8u * q + select(1u, 2u, round == turn), within);
  let at = select(vec4u(0u, 1u, 2u, 3u), select(vec4u(0u, 2u, 4u, 6u), vec4u(0u, 1u, 4u, 5u), round == turn), within);
  // Columns may not exist in the last block and in the one that evens their number: they count as zero and stay unwritten.
  //#for a 8
  let col${a} = select(first, second, ${a}u > 3u) + at[${a}u % 4u];
  let there${a} = meets && col${a} < ell;
  let at${a} = min(col${a}, ell - 1u);
  let y${a} = base + at${a} * stride;
  //#for b a
  var g${a}_${b} = 0.0;
  //#end
  var g${a}_${a} = 0.0;
  //#end
  for (var e = 0u; e < select(0u, height, meets); e += 4u) {
    //#for a 8
    let x${a} = y[y${a} + e];
    //#for b a
    g${a}_${b} = fma(x${a}, x${b}, g${a}_${b});
    //#end
    g${a}_${a} = fma(x${a}, x${a}, g${a}_${a});
    //#end
  }
  //#for a 8
  //#for b a
  let h${a}_${b} = select(0.0, total(g${a}_${b}), there${a} && there${b});
  //#end
  let h${a}_${a} = select(0.0, total(g${a}_${a}), there${a});
  //#end
  // Rows of G in this lane's column of the first block, p, and of the second, q.
  var p0 = own(lane, vec4f(h0_0, h1_0, h2_0, h3_0));
  var p1 = own(lane, vec4f(h1_0, h1_1, h2_1, h3_1));
  var p2 = own(lane, vec4f(h2_0, h2_1, h2_2, h3_2));
  var p3 = own(lane, vec4f(h3_0, h3_1, h3_2, h3_3));
  var p4 = own(lane, vec4f(h4_0, h4_1, h4_2, h4_3));
  var p5 = own(lane, vec4f(h5_0, h5_1, h5_2, h5_3));
  var p6 = own(lane, vec4f(h6_0, h6_1, h6_2, h6_3));
  var p7 = own(lane, vec4f(h7_0, h7_1, h7_2, h7_3));
  var q0 = own(lane, vec4f(h4_0, h5_0, h6_0, h7_0));
  var q1 = own(lane, vec4f(h4_1, h5_1, h6_1, h7_1));
  var q2 = own(lane, vec4f(h4_2, h5_2, h6_2, h7_2));
  var q3 = own(lane, vec4f(h4_3, h5_3, h6_3, h7_3));
  var q4 = own(lane, vec4f(h4_4, h5_4, h6_4, h7_4));
  var q5 = own(lane, vec4f(h5_4, h5_5, h6_5, h7_5));
  var q6 = own(lane, vec4f(h6_4, h6_5, h6_6, h7_6));
  var q7 = own(lane, vec4f(h7_4, h7_5, h7_6, h7_7));
  // Columns that do not exist have norm 0, hence cosine 0 and no rotation.
  let norm = own(lane, vec4f(h4_4, h5_5, h6_6, h7_7));
  let worst = largest(max(max(cosine(h0_0, norm, q0), cosine(h1_1, norm, q1)), max(cosine(h2_2, norm, q2), cosine(h3_3, norm, q3))));
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
