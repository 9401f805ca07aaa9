import { presetExperiment } from '../../../app/protocol/presets';
import type { Experiment } from '../../../app/protocol/experiment';
import { STEP_LIMIT_MS, openEngine, sizes, stepsFor } from '../engine';
import { round, type Row } from '../section';

export const title = 'One training step, AdamQ3R at period 5';
export const note = 'Wall time between steps; the parts are GPU time from timestamp queries (browsers round them to 0.1 ms).';

/** Without validation, whose cost is no part of a step. */
const timed = (key: string): Experiment => {
  const experiment = presetExperiment(key);
  return {
    ...experiment,
    train: { ...experiment.train, evalEvery: 0 },
    method: { ...experiment.method, name: 'adamq3r', reweightEvery: 5 },
  };
};

/** `training:KEY` takes one preset. */
export async function run(argument?: string): Promise<Row[]> {
  const engine = await openEngine();
  try {
    const rows: Row[] = [];
    for (const { key, label } of sizes(argument)) {
      const experiment = timed(key);
      const expected = await engine.estimate(experiment);
      if (typeof expected === 'string' || expected > STEP_LIMIT_MS) {
        const why = typeof expected === 'string' ? expected : `left out: about ${round(expected / 1000)} s a step here`;
        rows.push({ preset: label, batch: experiment.train.batchSize, 'ms/step': why });
        continue;
      }
      const { msPerStep, imagesPerSecond, split } = await engine.time(experiment, 5, stepsFor(expected));
      rows.push({
        preset: label,
        batch: experiment.train.batchSize,
        'ms/step': round(msPerStep),
        forward: split ? round(split.forward) : '–',
        backward: split ? round(split.backward) : '–',
        optimizer: split ? round(split.optimizer) : '–',
        Q3R: split ? round(split.q3r) : '–',
        'images/s': round(imagesPerSecond),
      });
    }
    return rows;
  } finally {
    engine.close();
  }
}
