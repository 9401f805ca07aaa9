// attention/tiles: what the kernels for graphics cards share
// A workgroup meets a block of RG x 4 rows of one head with blocks of CG x 4 columns. A tile is 4 x 4 scores, element [i][j] that of
//   row i and column j: the thread's rows are 4 ty + i, its columns 4 tx + j. Sums over the columns have tiles of 4 rows times four
//   dimensions: rows 4 sy + i, dimensions 4 sx on. Either share of the threads may be idle in the other's part.
// Within 16 KiB: the panel holds DC of the Q quads of dimensions of all columns, or all weights of the block. Columns lie in it by
//   their remainder by 4, with an odd pitch, so that neighbouring threads read from different banks.
const HS = ${HS}u;
const Q = ${Q}u;
const RG = ${RG}u;
const CG = ${CG}u;
const ROWS = 4u * RG;
const COLUMNS = 4u * CG;
const DC = ${DC}u;
const PITCH = ${PITCH}u;
const THREADS = ${THREADS}u;
const FOUR = vec4u(0u, 1u, 2u, 3u);
var<workgroup> panel: array<vec4f, ${PANEL}>;
// Of a thread's four rows, to be reduced over the columns or dimensions; and what belongs to whole rows.
var<workgroup> partials: array<vec4f, ${PARTIALS}>;
var<workgroup> whole: array<vec4f, RG>;
var<private> local: u32;
var<private> ty: u32;
var<private> tx: u32;
var<private> sy: u32;
var<private> sx: u32;

fn begin(index: u32) {
  local = index;
  ty = local / CG;
  tx = local % CG;
  sy = local / Q;
  sx = local % Q;
}
fn store_weights(w: mat4x4f) {
//#for i 4
  panel[(4u * ty + ${i}u) * CG + tx] = w[${i}];
//#end
}
