// hoyer/value: lambda gain times the value of every matrix, as of the last refresh
// Shapes: figures: one vec4f per matrix; values: one f32 per matrix
// Grid: thread per matrix. Precision: f32
// Source: golden/README, Hoyer
struct Params { count: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> step: StepState;
@group(0) @binding(3) var<storage, read> figures: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= p.count) { return; }
  values[g.x] = step.lambda * table[g.x].gain * figures[g.x].x;
}
