import type { Experiment } from '../../../app/protocol/experiment';
import type { PlanReport } from '../../../app/protocol/messages';
import { presetExperiment } from '../../../app/protocol/presets';
import { openEngine, sizes } from '../engine';
import { mebibytes, round, type Row } from '../section';

export const title = 'GPU memory of a run against the analytic minimum';
export const note =
  'Minimum: weights, gradient and two moments; the tensors that the backward pass reads, once, of the images that pass at once; U and V at ' +
  'the target rank; the data as bytes. Recomputed: the same with activations computed again. Staging: what the CPU reads from, in ' +
  'its own memory and not in the figures before. `memory:KEY` takes one preset.';

const PRECISIONS = ['f32', 'mixed'] as const;
const IMAGES = 22_000;
const SIDE = 32;
const CHANNELS = 3;

/** Bytes no implementation of this run can do without, short of recomputing activations; see `note`. */
function minimum({ model, train }: Experiment, plan: PlanReport): number {
  const side = model.imageSize ?? SIDE;
  const tokens = (side / model.patchSize) ** 2 + 1;
  const hidden = model.embedDim * model.mlpRatio;
  // What mixed precision stores: all but the images and the residual stream.
  const half = train.precision === 'mixed' ? 0.5 : 1;
  let perImage = CHANNELS * side ** 2 + tokens * model.embedDim;
  for (let block = 0; block < model.depth; block++) {
    // After the last attention only the class token is read.
    const rows = block === model.depth - 1 ? 1 : tokens;
    // Input of the first norm, q, k, v; attention output, input of the second norm, MLP before GELU.
    perImage += tokens * (1 + 3 * half) * model.embedDim + rows * ((1 + half) * model.embedDim + half * hidden);
  }
  const factors = plan.matrices.reduce((sum, m) => sum + (m.regularized ? m.targetRank * (m.rows + m.cols) : 0), 0);
  return 16 * plan.parameters + (4 * perImage * train.batchSize) / train.accumulate + 4 * factors + IMAGES * (CHANNELS * SIDE ** 2 + 1);
}

export async function run(argument?: string): Promise<Row[]> {
  const engine = await openEngine();
  try {
    const rows: Row[] = [];
    for (const { key, label, precision } of sizes(argument).flatMap(({ key, label }) =>
      PRECISIONS.map((precision) => ({ key, label, precision })),
    )) {
      const preset = presetExperiment(key);
      const experiment = { ...preset, train: { ...preset.train, precision } };
      const plan = await engine.client.send('plan', { experiment });
      const least = minimum(experiment, plan);
      const planned = plan.bytes.total;
      const again = await engine.client.send('plan', { experiment: { ...experiment, train: { ...experiment.train, recompute: true } } });
      const figures = {
        'minimum MiB': mebibytes(least),
        'planned MiB': mebibytes(planned),
        'planned over': round(planned / least),
        'Q3R MiB': mebibytes(plan.bytes.q3r),
        'recomputed MiB': mebibytes(again.bytes.total),
      };
      const row = { preset: label, precision, ...figures };
      if (plan.refusal) {
        rows.push({ ...row, 'measured MiB': 'left out: the device refuses it' });
        continue;
      }
      await engine.client.send('configure', { experiment });
      // A pause on the heels of a start: the run and its data are on the GPU, all that a step needs with them, and no step is made.
      await Promise.all([engine.client.send('start', {}), engine.client.send('pause', {})]);
      const { liveBytes, stagingBytes, liveBuffers } = await engine.client.send('memory', {});
      const measured = liveBytes - stagingBytes;
      rows.push({
        ...row,
        'measured MiB': mebibytes(measured),
        'over minimum': round(measured / least),
        'staging MiB': mebibytes(stagingBytes),
        buffers: liveBuffers,
      });
    }
    return rows;
  } finally {
    engine.close();
  }
}
