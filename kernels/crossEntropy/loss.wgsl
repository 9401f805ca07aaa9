// crossEntropy/loss: softmax cross entropy with label smoothing s over K classes, per sample
//   loss = log(sum_j exp(z_j - m)) - (1 - s) (z_y - m) - (s / K) sum_j (z_j - m),  m = max_j z_j
//   correct = 1 where the first largest logit is the label
//   dLogits_j = (softmax_j - (1 - s) [j = y] - s / K) / mean_of: gradient of the mean over mean_of samples, of which these
//   rows may be a part (only in the gradient variant)
//   In the mix variant the target is soft: w onehot(y) + (1 - w) onehot(y'), y' the label of the row at the same distance from
//   the other end and w = state.mix_weight; correct is counted against the heavier of the two.
//   SCALED: dLogits is the loss scale times that; the loss is not.
// Shapes: logits, d_logits f32 (rows, classes)  labels i32 (rows)  losses f32 (rows)  correct u32 (rows)
// Grid: workgroup of LANES threads per row, folded into y. Precision: f32
struct Params { rows: u32, classes: u32, mean_of: u32, smoothing: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> correct: array<u32>;
//#for gradient GRADIENT
@group(0) @binding(5) var<storage, read_write> d_logits: array<f32>;
//#end
//#for mixed MIX
@group(0) @binding(${STATE_BINDING}) var<storage, read> state: StepState;
//#end
//#for scaled SCALED
@group(0) @binding(${SCALE_BINDING}) var<storage, read> scaling: LossScale;
//#end
const LANES = ${LANES}u;
var<workgroup> best: array<f32, ${LANES}>;
var<workgroup> place: array<u32, ${LANES}>;
var<workgroup> sums: array<vec2f, ${LANES}>;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = wid.x + wid.y * groups.x;
  let live = row < p.rows;
  let at = min(row, p.rows - 1u);
  let base = at * p.classes;
  let label = u32(labels[at]);
//#for plain PLAIN
  let partner = label;
  let weight = 1.0;
//#end
//#for mixed MIX
  let partner = u32(labels[p.rows - 1u - at]);
  let weight = state.mix_weight;
//#end
  var top = logits[base + min(lane, p.classes - 1u)];
  var index = min(lane, p.classes - 1u);
  for (var j = lane + LANES; j < p.classes; j += LANES) {
    let z = logits[base + j];
    if (z > top) { top = z; index = j; }
  }
  best[lane] = top;
  place[lane] = index;
  workgroupBarrier();
  for (var step = LANES / 2u; step > 0u; step >>= 1u) {
    if (lane < step) {
      let other = best[lane + step];
      // A tie goes to the smaller index, as argmax does elsewhere; lanes hold interleaved columns.
      if (other > best[lane] || (other == best[lane] && place[lane + step] < place[lane])) {
        best[lane] = other;
        place[lane] = place[lane + step];
      }
    }
    workgroupBarrier();
  }
  let m = best[0];
  var sum = vec2f(0.0);
  for (var j = lane; j < p.classes; j += LANES) {
    let z = logits[base + j] - m;
    sum += vec2f(exp(z), z);
  }
  sums[lane] = sum;
  workgroupBarrier();
  for (var step = LANES / 2u; step > 0u; step >>= 1u) {
    if (lane < step) { sums[lane] += sums[lane + step]; }
    workgroupBarrier();
  }
  let total = sums[0];
  let share = p.smoothing / f32(p.classes);
  if (live && lane == 0u) {
    var z = logits[base + min(label, p.classes - 1u)] - m;
    if (weight != 1.0) { z = weight * z + (1.0 - weight) * (logits[base + min(partner, p.classes - 1u)] - m); }
    losses[row] = log(total.x) - (1.0 - p.smoothing) * z - share * total.y;
    correct[row] = select(0u, 1u, place[0] == select(partner, label, weight >= 0.5));
  }
//#for gradient GRADIENT
  if (live) {
    var scale = 1.0 / f32(p.mean_of);
//#for scaled SCALED
    scale *= scaling.scale;
//#end
    for (var j = lane; j < p.classes; j += LANES) {
      var q = select(share, share + (1.0 - p.smoothing) * weight, j == label);
      if (weight != 1.0 && j == partner) { q += (1.0 - p.smoothing) * (1.0 - weight); }
      d_logits[base + j] = (exp(logits[base + j] - m) / total.x - q) * scale;
    }
  }
//#end
}
