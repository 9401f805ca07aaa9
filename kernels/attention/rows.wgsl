// attention/rows: what forward, backwardQuery and backwardKey share: parameters, and reads and writes of 4 dimensions
//   VEC: HS is a multiple of 4 and buffers hold vec4f; SCALAR: the last quad of a row is filled up with zeros.
//   SHARE: the four threads of a workgroup lie in one subgroup and meet the same columns, so each reads every fourth
//   quad and broadcasts it. That serves software adapters, whose reads are dear. OWN: each reads for itself.
//#for once SHARE
enable subgroups;
//#end
struct Params { batch: u32, tokens: u32, queries: u32, heads: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
const HS = ${HS}u;
const QUADS = ${Q}u;
const SHARES = ${SHARES}u;
