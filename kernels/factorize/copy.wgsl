// factorize/copy: the parameters that are no product, from one arena to the other
// Shapes: segments: (place in the trained arena, place in the effective arena, length) each; from, to: f32 arenas
// Grid: x over elements, y = segment. Precision: exact
// Source: ours
struct Params { back: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> segments: array<u32>;
@group(0) @binding(2) var<storage, read> from_arena: array<f32>;
@group(0) @binding(3) var<storage, read_write> to_arena: array<f32>;
override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let trained = segments[3u * wid.y];
  let effective = segments[3u * wid.y + 1u];
  let i = wid.x * WG + lid.x;
  if (i >= segments[3u * wid.y + 2u]) { return; }
  if (p.back == 1u) { to_arena[trained + i] = from_arena[effective + i]; } else { to_arena[effective + i] = from_arena[trained + i]; }
}
