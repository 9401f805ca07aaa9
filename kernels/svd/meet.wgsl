// svd/meet: eight columns of Y meet and leave orthogonal, V is turned along: what a round of one-sided block Jacobi is made of.
//   G = X^T X of the eight columns X; rotations of G by
//   zeta = (G_jj - G_ii) / (2 G_ij),  t = sign(zeta) / (|zeta| + sqrt(1 + zeta^2)) = tan(theta)
//   for each of the 28 pairs make up I + D;  X <- X + X D
// Blocks of four columns follow the round-robin tournament: in n - 1 rounds (n = ceil(ell / 4) made even) every block, and so
// every pair of columns, meets every other: a sweep. A row of Y costs 24 loads and stores for 100 products of vec4s where four
// meetings of four columns cost 48 for 104: software adapters live by that ratio, and a GPU has half the rounds.
// Shapes: y: ell columns of pv vec4s; v: ell columns of kv vec4s, per matrix
//   with all |cos| up to `idle` eight columns stay as they are: they are read, not written
//   with `kind` other than LONG: y is that short range, of which ell x ell is used, and nothing is turned along.
// LANES invocations share the rows of eight columns; PAIRS eights are at work in a workgroup at once.
// Precision: f32; relative to each column's own norm, so small singular values keep their digits
// Source: Hestenes 1958; Demmel and Veselic 1992; rotation by tan(theta/2) after Rutishauser 1966
override LANES: u32 = 1u;
override PAIRS: u32 = 8u;
var<workgroup> sums: array<vec4f, 9u * LANES * PAIRS>;

// Meeting q of a round, `lid` being (lane, eight); the largest |cos| it met, 0 where nobody meets. All of a workgroup call it together.
fn meet(m: Matrix, ell: u32, round: u32, q: u32, lid: vec3u, kind: u32, idle: f32) -> f32 {
  let blocks = (ell + 3u) / 4u;
  let n = blocks + (blocks & 1u);
  let turn = n - 1u;
  let i = (round + q) % turn;
  let j = select((round + turn - q % turn) % turn, turn, q == 0u);
  let first = 4u * min(i, j);
  let second = 4u * max(i, j);
  let alone = kind != LONG;
  let height = select(m.pv, blocks, alone);
  let stride = height_of(m, kind);
  let base = first_of(m, kind);
  let turned = select(m.kv, 0u, alone);
  // Of the last block and of the one that evens their number, columns may not exist: they count as zero and stay unwritten.
  let meets = q < n / 2u && first < ell;
  //#for a 8
  let col${a} = select(first, second, ${a}u > 3u) + ${a}u % 4u;
  let there${a} = meets && col${a} < ell;
  let at${a} = min(col${a}, ell - 1u);
  let y${a} = base + at${a} * stride;
  //#for b a
  var g${a}_${b} = vec4f();
  //#end
  var g${a}_${a} = vec4f();
  //#end
  if (meets) {
    for (var e = lid.x; e < height; e += LANES) {
      //#for a 8
      let x${a} = y[y${a} + e];
      //#for b a
      g${a}_${b} = fma(x${a}, x${b}, g${a}_${b});
      //#end
      g${a}_${a} = fma(x${a}, x${a}, g${a}_${a});
      //#end
    }
  }
  let one = vec4f(1.0);
  //#for a 8
  //#for b a
  var h${a}_${b} = select(0.0, dot(g${a}_${b}, one), there${a});
  //#end
  var h${a}_${a} = select(0.0, dot(g${a}_${a}, one), there${a});
  //#end
  if (LANES > 1u) {
    let slot = 9u * (lid.y * LANES + lid.x);
    sums[slot] = vec4f(h0_0, h1_0, h1_1, h2_0);
    sums[slot + 1u] = vec4f(h2_1, h2_2, h3_0, h3_1);
    sums[slot + 2u] = vec4f(h3_2, h3_3, h4_0, h4_1);
    sums[slot + 3u] = vec4f(h4_2, h4_3, h4_4, h5_0);
    sums[slot + 4u] = vec4f(h5_1, h5_2, h5_3, h5_4);
    sums[slot + 5u] = vec4f(h5_5, h6_0, h6_1, h6_2);
    sums[slot + 6u] = vec4f(h6_3, h6_4, h6_5, h6_6);
    sums[slot + 7u] = vec4f(h7_0, h7_1, h7_2, h7_3);
    sums[slot + 8u] = vec4f(h7_4, h7_5, h7_6, h7_7);
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      if (lid.x < half) {
        for (var c = 0u; c < 9u; c++) { sums[slot + c] += sums[slot + 9u * half + c]; }
      }
      workgroupBarrier();
    }
    let all = 9u * lid.y * LANES;
    let s0 = sums[all];
    let s1 = sums[all + 1u];
    let s2 = sums[all + 2u];
    let s3 = sums[all + 3u];
    let s4 = sums[all + 4u];
    let s5 = sums[all + 5u];
    let s6 = sums[all + 6u];
    let s7 = sums[all + 7u];
    let s8 = sums[all + 8u];
    h0_0 = s0.x; h1_0 = s0.y; h1_1 = s0.z; h2_0 = s0.w;
    h2_1 = s1.x; h2_2 = s1.y; h3_0 = s1.z; h3_1 = s1.w;
    h3_2 = s2.x; h3_3 = s2.y; h4_0 = s2.z; h4_1 = s2.w;
    h4_2 = s3.x; h4_3 = s3.y; h4_4 = s3.z; h5_0 = s3.w;
    h5_1 = s4.x; h5_2 = s4.y; h5_3 = s4.z; h5_4 = s4.w;
    h5_5 = s5.x; h6_0 = s5.y; h6_1 = s5.z; h6_2 = s5.w;
    h6_3 = s6.x; h6_4 = s6.y; h6_5 = s6.z; h6_6 = s6.w;
    h7_0 = s7.x; h7_1 = s7.y; h7_2 = s7.z; h7_3 = s7.w;
    h7_4 = s8.x; h7_5 = s8.y; h7_6 = s8.z; h7_7 = s8.w;
  }
  // Columns that do not exist have norm 0, hence cosine 0 and no rotation.
  var worst = 0.0;
  //#for a 8
  //#for b a
  worst = max(worst, cosine(h${a}_${a}, h${b}_${b}, h${a}_${b}));
  //#end
  //#end
  if (meets && worst > idle) {
    // Rows of G, of D^T and of the permutation E^T, halves l and h: the unit vectors apart, so that small differences keep their digits.
    var gl0 = vec4f(h0_0, h1_0, h2_0, h3_0);
    var gh0 = vec4f(h4_0, h5_0, h6_0, h7_0);
    var gl1 = vec4f(h1_0, h1_1, h2_1, h3_1);
    var gh1 = vec4f(h4_1, h5_1, h6_1, h7_1);
    var gl2 = vec4f(h2_0, h2_1, h2_2, h3_2);
    var gh2 = vec4f(h4_2, h5_2, h6_2, h7_2);
    var gl3 = vec4f(h3_0, h3_1, h3_2, h3_3);
    var gh3 = vec4f(h4_3, h5_3, h6_3, h7_3);
    var gl4 = vec4f(h4_0, h4_1, h4_2, h4_3);
    var gh4 = vec4f(h4_4, h5_4, h6_4, h7_4);
    var gl5 = vec4f(h5_0, h5_1, h5_2, h5_3);
    var gh5 = vec4f(h5_4, h5_5, h6_5, h7_5);
    var gl6 = vec4f(h6_0, h6_1, h6_2, h6_3);
    var gh6 = vec4f(h6_4, h6_5, h6_6, h7_6);
    var gl7 = vec4f(h7_0, h7_1, h7_2, h7_3);
    var gh7 = vec4f(h7_4, h7_5, h7_6, h7_7);
    //#for a 8
    var dl${a} = vec4f();
    var dh${a} = vec4f();
    var el${a} = select(vec4f(), one, vec4u(0u, 1u, 2u, 3u) == vec4u(${a}u));
    var eh${a} = select(vec4f(), one, vec4u(4u, 5u, 6u, 7u) == vec4u(${a}u));
    //#end
    // Seven rounds of a tournament of eight: neighbours meet, then all but the first move on; at the end everyone is back.
    for (var meeting = 0u; meeting < 7u; meeting++) {
      let r0 = rotation(max(0.0, gl0.x), max(0.0, gl1.y), gl0.y);
      let r1 = rotation(max(0.0, gl2.z), max(0.0, gl3.w), gl2.w);
      let r2 = rotation(max(0.0, gh4.x), max(0.0, gh5.y), gh4.y);
      let r3 = rotation(max(0.0, gh6.z), max(0.0, gh7.w), gh6.w);
      // Columns of G: x_i - s (tau x_i + x_j) and x_j + s (x_i - tau x_j), all four pairs at once.
      let sl = vec4f(-r0.x, r0.x, -r1.x, r1.x);
      let sh = vec4f(-r2.x, r2.x, -r3.x, r3.x);
      let tl = vec4f(r0.y, r0.y, r1.y, r1.y);
      let th = vec4f(r2.y, r2.y, r3.y, r3.y);
      //#for a 8
      let cl${a} = gl${a} + fma(sl, gl${a}.yxwz, -tl * gl${a});
      let ch${a} = gh${a} + fma(sh, gh${a}.yxwz, -th * gh${a});
      //#end
      // Rows of G and of D^T, each row moving on to its next place.
      let al0 = cl0 - fma(vec4f(r0.x), cl1, r0.y * cl0);
      let al1 = cl1 + fma(vec4f(r0.x), cl0, -r0.y * cl1);
      let ah0 = ch0 - fma(vec4f(r0.x), ch1, r0.y * ch0);
      let ah1 = ch1 + fma(vec4f(r0.x), ch0, -r0.y * ch1);
      let al2 = cl2 - fma(vec4f(r1.x), cl3, r1.y * cl2);
      let al3 = cl3 + fma(vec4f(r1.x), cl2, -r1.y * cl3);
      let ah2 = ch2 - fma(vec4f(r1.x), ch3, r1.y * ch2);
      let ah3 = ch3 + fma(vec4f(r1.x), ch2, -r1.y * ch3);
      let al4 = cl4 - fma(vec4f(r2.x), cl5, r2.y * cl4);
      let al5 = cl5 + fma(vec4f(r2.x), cl4, -r2.y * cl5);
      let ah4 = ch4 - fma(vec4f(r2.x), ch5, r2.y * ch4);
      let ah5 = ch5 + fma(vec4f(r2.x), ch4, -r2.y * ch5);
      let al6 = cl6 - fma(vec4f(r3.x), cl7, r3.y * cl6);
      let al7 = cl7 + fma(vec4f(r3.x), cl6, -r3.y * cl7);
      let ah6 = ch6 - fma(vec4f(r3.x), ch7, r3.y * ch6);
      let ah7 = ch7 + fma(vec4f(r3.x), ch6, -r3.y * ch7);
      let bl0 = dl0 - fma(vec4f(r0.x), el1 + dl1, r0.y * (el0 + dl0));
      let bl1 = dl1 + fma(vec4f(r0.x), el0 + dl0, -r0.y * (el1 + dl1));
      let bh0 = dh0 - fma(vec4f(r0.x), eh1 + dh1, r0.y * (eh0 + dh0));
      let bh1 = dh1 + fma(vec4f(r0.x), eh0 + dh0, -r0.y * (eh1 + dh1));
      let bl2 = dl2 - fma(vec4f(r1.x), el3 + dl3, r1.y * (el2 + dl2));
      let bl3 = dl3 + fma(vec4f(r1.x), el2 + dl2, -r1.y * (el3 + dl3));
      let bh2 = dh2 - fma(vec4f(r1.x), eh3 + dh3, r1.y * (eh2 + dh2));
      let bh3 = dh3 + fma(vec4f(r1.x), eh2 + dh2, -r1.y * (eh3 + dh3));
      let bl4 = dl4 - fma(vec4f(r2.x), el5 + dl5, r2.y * (el4 + dl4));
      let bl5 = dl5 + fma(vec4f(r2.x), el4 + dl4, -r2.y * (el5 + dl5));
      let bh4 = dh4 - fma(vec4f(r2.x), eh5 + dh5, r2.y * (eh4 + dh4));
      let bh5 = dh5 + fma(vec4f(r2.x), eh4 + dh4, -r2.y * (eh5 + dh5));
      let bl6 = dl6 - fma(vec4f(r3.x), el7 + dl7, r3.y * (el6 + dl6));
      let bl7 = dl7 + fma(vec4f(r3.x), el6 + dl6, -r3.y * (el7 + dl7));
      let bh6 = dh6 - fma(vec4f(r3.x), eh7 + dh7, r3.y * (eh6 + dh6));
      let bh7 = dh7 + fma(vec4f(r3.x), eh6 + dh6, -r3.y * (eh7 + dh7));
      gl0 = vec4f(al0.x, al0.w, al0.y, ah0.y);
      gh0 = vec4f(al0.z, ah0.w, ah0.x, ah0.z);
      dl0 = bl0;
      dh0 = bh0;
      gl1 = vec4f(al3.x, al3.w, al3.y, ah3.y);
      gh1 = vec4f(al3.z, ah3.w, ah3.x, ah3.z);
      dl1 = bl3;
      dh1 = bh3;
      gl2 = vec4f(al1.x, al1.w, al1.y, ah1.y);
      gh2 = vec4f(al1.z, ah1.w, ah1.x, ah1.z);
      dl2 = bl1;
      dh2 = bh1;
      gl3 = vec4f(al5.x, al5.w, al5.y, ah5.y);
      gh3 = vec4f(al5.z, ah5.w, ah5.x, ah5.z);
      dl3 = bl5;
      dh3 = bh5;
      gl4 = vec4f(al2.x, al2.w, al2.y, ah2.y);
      gh4 = vec4f(al2.z, ah2.w, ah2.x, ah2.z);
      dl4 = bl2;
      dh4 = bh2;
      gl5 = vec4f(al7.x, al7.w, al7.y, ah7.y);
      gh5 = vec4f(al7.z, ah7.w, ah7.x, ah7.z);
      dl5 = bl7;
      dh5 = bh7;
      gl6 = vec4f(al4.x, al4.w, al4.y, ah4.y);
      gh6 = vec4f(al4.z, ah4.w, ah4.x, ah4.z);
      dl6 = bl4;
      dh6 = bh4;
      gl7 = vec4f(al6.x, al6.w, al6.y, ah6.y);
      gh7 = vec4f(al6.z, ah6.w, ah6.x, ah6.z);
      dl7 = bl6;
      dh7 = bh6;
      let first_l = el1;
      el1 = el3;
      el3 = el5;
      el5 = el7;
      el7 = el6;
      el6 = el4;
      el4 = el2;
      el2 = first_l;
      let first_h = eh1;
      eh1 = eh3;
      eh3 = eh5;
      eh5 = eh7;
      eh7 = eh6;
      eh6 = eh4;
      eh4 = eh2;
      eh2 = first_h;
    }
    for (var e = lid.x; e < height; e += LANES) {
      //#for a 8
      let x${a} = y[y${a} + e];
      //#end
      //#for a 8
      if (there${a}) { y[y${a} + e] = x${a} + fma(vec4f(dl${a}.x), x0, fma(vec4f(dl${a}.y), x1, fma(vec4f(dl${a}.z), x2, fma(vec4f(dl${a}.w), x3, fma(vec4f(dh${a}.x), x4, fma(vec4f(dh${a}.y), x5, fma(vec4f(dh${a}.z), x6, dh${a}.w * x7))))))); }
      //#end
    }
    //#for a 8
    let v${a} = m.v + at${a} * m.kv;
    //#end
    for (var e = lid.x; e < turned; e += LANES) {
      //#for a 8
      let x${a} = v[v${a} + e];
      //#end
      //#for a 8
      if (there${a}) { v[v${a} + e] = x${a} + fma(vec4f(dl${a}.x), x0, fma(vec4f(dl${a}.y), x1, fma(vec4f(dl${a}.z), x2, fma(vec4f(dl${a}.w), x3, fma(vec4f(dh${a}.x), x4, fma(vec4f(dh${a}.y), x5, fma(vec4f(dh${a}.z), x6, dh${a}.w * x7))))))); }
      //#end
    }
  }
  return select(0.0, worst, meets);
}
