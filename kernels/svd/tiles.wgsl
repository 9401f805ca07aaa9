// svd/tiles: what svd/inner and svd/innerAcross are given, and which of its tiles is the t-th, as (row, column) in tiles.
//   With `same` those on and above the diagonal alone: column c has c + 1 of them, rows 0 to c. Folding c with its opposite makes a
//   rectangle, so that no thread idles. Columns past the last are nobody's.
struct Params { a: u32, b: u32, c: u32, all: u32, iterate: u32, same: u32, span: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> state: array<State>;
@group(0) @binding(3) var<storage, read> left: array<vec4f>;
@group(0) @binding(4) var<storage, read> right: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> product: array<vec4f>;
override WG: u32 = 64u;

fn tile_of(t: u32, row_tiles: u32, col_tiles: u32, same: bool) -> vec2u {
  let width = 2u * ((col_tiles + 1u) / 2u) + 1u;
  if (!same) { return vec2u(t % row_tiles, t / row_tiles); }
  let turn = t % width;
  let pair = t / width;
  let tall = width - 2u - pair;
  return vec2u(
    select(turn - tall - 1u, turn, turn <= tall),
    select(select(pair, tall, turn <= tall), col_tiles, 2u * pair >= width - 1u)
  );
}
