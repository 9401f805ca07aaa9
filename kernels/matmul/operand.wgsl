// matmul/operand: reads four neighbours of one operand, as one vec4 (VEC) or as four scalars that stay inside the item
//   QUAD is what they become, vec4f or vec4h; UNPACK makes it of a vec4f or of the two words of four halves, or is empty.
//   X is a or b; SIZE is its m or n. PLAIN: neighbours run along k; otherwise k is the row and they run along SIZE.
//   edge_X brings a first row or column back into the matrix; its values are never stored.
@group(0) @binding(${BINDING}) var<storage, read> ${X}: array<${TYPE}>;

//#for once VEC
fn edge_${X}(first: u32) -> u32 { return min(first, p.${SIZE} - 4u); }
fn load_${X}(offset: u32, last: u32) -> ${QUAD} { return ${UNPACK}(${X}[offset / 4u]); }
//#end
//#for once SCALAR
fn edge_${X}(first: u32) -> u32 { return min(first, p.${SIZE} - 1u); }
fn load_${X}(offset: u32, last: u32) -> ${QUAD} {
  return ${QUAD}(vec4f(
    ${X}[min(offset, last)],
    ${X}[min(offset + 1u, last)],
    ${X}[min(offset + 2u, last)],
    ${X}[min(offset + 3u, last)],
  ));
}
//#end

// The quad at k, zero from k_end on, where MASK says that parts of k may end within a panel of workgroup memory.
fn fetch_${X}(offset: u32, k: u32, k_end: u32, last: u32) -> ${QUAD} {
  //#for once MASK
  if (k >= k_end) { return ${QUAD}(); }
  //#end
  //#for once ACROSS
  return load_${X}(offset + k * p.${SIZE}, last);
  //#end
  //#for once PLAIN
  //#for once VEC
  // K is a multiple of four, and so is every part of it: a quad is inside or outside.
  return load_${X}(offset + k, last);
  //#end
  //#for once SCALAR
  let inside = vec4u(k, k + 1u, k + 2u, k + 3u) < vec4u(k_end);
  return select(${QUAD}(), load_${X}(offset + k, last), inside);
  //#end
  //#end
}
