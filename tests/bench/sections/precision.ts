import { PRESETS, presetExperiment } from '../../../app/protocol/presets';
import type { Experiment } from '../../../app/protocol/experiment';
import type { StepRecord } from '../../../app/protocol/messages';
import { STEP_LIMIT_MS, openEngine, stepsFor, type EngineBench } from '../engine';
import { mebibytes, median, round, type Row } from '../section';

export const title = 'Mixed precision beside f32: the step, its memory, and how far the curves part';
export const note =
  'Times: medians of three alternating rounds, AdamW. Curves: 100 steps of a small model, the mean loss of the last ten; the largest and the mean distance of the losses, and that ' +
  'of the gradient norms, relative; "f32 in two parts" is the same arithmetic with sums in another order.';

const ROUNDS = 3;
const CURVE = 100;

const dense = (key: string, patch: Partial<Experiment['train']>): Experiment => {
  const experiment = presetExperiment(key);
  return {
    ...experiment,
    train: { ...experiment.train, evalEvery: 0, ...patch },
    method: { ...experiment.method, name: 'adamw' },
  };
};

/** The largest preset, up to ViT-Tiny/4, of which a step takes less than a second here; batches of 128 there. */
async function largest(engine: EngineBench): Promise<{ key: string; label: string; ms: number }> {
  let found = { key: 'nano', label: 'ViT-Nano/8', ms: STEP_LIMIT_MS };
  for (const { key, label } of PRESETS.filter((p) => ['nano', 'micro', 'mini', 'tiny'].includes(p.key))) {
    const ms = await engine.estimate(dense(key, {}));
    if (typeof ms === 'number' && ms <= STEP_LIMIT_MS) found = { key, label, ms };
  }
  return found;
}

async function times(engine: EngineBench): Promise<Row[]> {
  const { key, label, ms } = await largest(engine);
  const batchSize = key === 'tiny' ? 128 : presetExperiment(key).train.batchSize;
  const steps = stepsFor(ms);
  const kinds = ['f32', 'mixed'] as const;
  const measured = { f32: [] as number[], mixed: [] as number[] };
  const last: Record<string, Row> = {};
  for (let i = 0; i < ROUNDS; i++)
    for (const precision of kinds) {
      const { msPerStep, split } = await engine.time(dense(key, { batchSize, precision }), 5, steps);
      measured[precision].push(msPerStep);
      const { liveBytes } = await engine.client.send('memory', {});
      last[precision] = {
        'GPU MiB': mebibytes(liveBytes),
        forward: split ? round(split.forward) : '–',
        backward: split ? round(split.backward) : '–',
        optimizer: split ? round(split.optimizer) : '–',
      };
    }
  return kinds.map((precision) => ({
    what: `${label}, batch ${batchSize}, ${precision}`,
    'ms/step': round(median(measured[precision])),
    'over f32': round(median(measured[precision]) / median(measured.f32)),
    ...last[precision],
  }));
}

async function curves(engine: EngineBench): Promise<Row[]> {
  const key = engine.device.software ? 'nano' : 'micro';
  const train = async (patch: Partial<Experiment['train']>): Promise<StepRecord[]> => {
    await engine.client.send('configure', { experiment: dense(key, { steps: 1000, warmupSteps: 10, ...patch }) });
    await engine.client.send('reset', {});
    return engine.client.send('step', { count: CURVE });
  };
  const single = await train({});
  const end = (records: StepRecord[]): number => Number((records.slice(-10).reduce((sum, { loss }) => sum + loss, 0) / 10).toFixed(4));
  const rows: Row[] = [{ what: `${key}, f32, from ${single[0]!.loss.toFixed(4)}`, 'end loss': end(single) }];
  for (const [name, patch] of [
    ['mixed', { precision: 'mixed' }],
    ['f32 in two parts', { accumulate: 2 }],
  ] as const) {
    const other = await train(patch);
    const apart = single.map(({ loss }, i) => Math.abs(loss - other[i]!.loss));
    const norms = single.map(({ gradNorm }, i) => Math.abs(other[i]!.gradNorm / gradNorm - 1));
    rows.push({
      what: `${key}, ${name}`,
      'end loss': end(other),
      'loss apart, max': apart.reduce((a, b) => Math.max(a, b)).toExponential(1),
      mean: (apart.reduce((a, b) => a + b) / apart.length).toExponential(1),
      'norm, max': norms.reduce((a, b) => Math.max(a, b)).toExponential(1),
      'loss scale': other.at(-1)!.lossScale ?? '–',
    });
  }
  return rows;
}

export async function run(): Promise<Row[]> {
  const engine = await openEngine();
  try {
    return [...(await times(engine)), ...(await curves(engine))];
  } finally {
    engine.close();
  }
}
