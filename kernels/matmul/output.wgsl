// matmul/output: what happens to four neighbouring outputs of one row, in this order
//   z = product + bias;  pre = z, z = gelu(z)  or  z *= gelu'(pre), pre = gelu(pre);  z += residual;  out = z  or  out += z
// out and pre may be stored as halves: PACK_* and UNPACK_* are empty for f32.
// Columns past n are dropped. VEC: n and the item's stride are multiples of four.
// ROW is the length of a row of out, COLUMN the column there: of a batch whose items lie side by side, base is an item's first.
@group(0) @binding(${OUT}) var<storage, read_write> out: array<${OUT_TYPE}>;
//#for once BIAS
@group(0) @binding(${BIAS_AT}) var<storage, read> bias: array<${TYPE}>;
//#end
//#for once PRE
@group(0) @binding(${PRE_AT}) var<storage, read_write> pre: array<${PRE_TYPE}>;
//#end
//#for once RESIDUAL
@group(0) @binding(${RESIDUAL_AT}) var<storage, read> residual: array<${TYPE}>;
//#end

fn store_one(at: u32, col: u32, product: ${TYPE}) {
  var z = product;
  //#for once BIAS
  z += bias[col];
  //#end
  //#for once GELU
  pre[at] = ${PACK_PRE}(z);
  //#for once VEC
  z = vec4f(gelu(z.x), gelu(z.y), gelu(z.z), gelu(z.w));
  //#end
  //#for once SCALAR
  z = gelu(z);
  //#end
  //#end
  //#for once D_GELU
  let at_pre = ${UNPACK_PRE}(pre[at]);
  //#for once VEC
  let both = array(gelu_slope(at_pre.x), gelu_slope(at_pre.y), gelu_slope(at_pre.z), gelu_slope(at_pre.w));
  z *= vec4f(both[0].y, both[1].y, both[2].y, both[3].y);
  pre[at] = ${PACK_PRE}(vec4f(both[0].x, both[1].x, both[2].x, both[3].x));
  //#end
  //#for once SCALAR
  let both = gelu_slope(at_pre);
  z *= both.y;
  pre[at] = both.x;
  //#end
  //#end
  //#for once RESIDUAL
  z += residual[at];
  //#end
  //#for once ACCUMULATE
  z += ${UNPACK_OUT}(out[at]);
  //#end
  out[at] = ${PACK_OUT}(z);
}

fn store(base: u32, row: u32, col: u32, product: vec4f) {
  if (row >= p.m) { return; }
  let at = base + row * ${ROW} + col;
  //#for once VEC
  if (col < p.n) { store_one(at / 4u, ${COLUMN} / 4u, product); }
  //#end
  //#for once SCALAR
  //#for q 4
  if (col + ${q}u < p.n) { store_one(at + ${q}u, ${COLUMN} + ${q}u, product[${q}]); }
  //#end
  //#end
}
