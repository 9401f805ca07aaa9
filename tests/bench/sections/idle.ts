import { presetExperiment } from '../../../app/protocol/presets';
import { STEP_LIMIT_MS, openEngine, sizes, stepsFor } from '../engine';
import { round, type Row } from '../section';

export const title = 'The device between steps';
export const note =
  'Idle: the part of the wall time between steps in which no pass runs on the GPU, by its own clock. Dense steps, which are all alike.';

/** `idle:KEY` takes one preset. */
export async function run(argument?: string): Promise<Row[]> {
  const engine = await openEngine();
  try {
    const rows: Row[] = [];
    for (const { key, label } of sizes(argument)) {
      const base = presetExperiment(key);
      const experiment = {
        ...base,
        train: { ...base.train, evalEvery: 0 },
        method: { ...base.method, name: 'adamw' as const },
      };
      const expected = await engine.estimate(experiment);
      if (typeof expected === 'string' || expected > STEP_LIMIT_MS) continue;
      const { msPerStep, split } = await engine.time(experiment, 10, stepsFor(expected));
      if (!split) {
        rows.push({ preset: label, 'ms/step': round(msPerStep), 'GPU ms': 'no timestamps' });
        continue;
      }
      const busy = split.forward + split.backward + split.optimizer + split.q3r;
      rows.push({
        preset: label,
        'ms/step': round(msPerStep),
        'GPU ms': round(busy),
        idle: `${(100 * (1 - busy / msPerStep)).toFixed(1)} %`,
      });
    }
    return rows;
  } finally {
    engine.close();
  }
}
