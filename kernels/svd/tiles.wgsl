// svd/tiles: which tile of a product is the t-th, as (row, column) in tiles.
//   With `same` those on and above the diagonal alone: column c has c + 1 of them, rows 0 to c. Folding c with its opposite makes a
//   rectangle, so that no thread idles. Columns past the last are nobody's.
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
