import { PRESETS, presetExperiment } from '../../../app/protocol/presets';
import type { MethodName } from '../../../app/protocol/experiment';
import { STEP_LIMIT_MS, openEngine, stepsFor } from '../engine';
import { median, round, type Row } from '../section';

export const title = 'AdamQ3R over AdamW, refresh every 5 steps';
export const note = 'Median of three alternating pairs in one session, so that a device that warms up or slows down hits both alike.';

const ROUNDS = 3;

export async function run(): Promise<Row[]> {
  const engine = await openEngine();
  try {
    const rows: Row[] = [];
    for (const { key, label } of PRESETS) {
      const base = presetExperiment(key);
      const experiment = (name: MethodName) => ({
        ...base,
        train: { ...base.train, evalEvery: 0 },
        method: { ...base.method, name, reweightEvery: 5 },
      });
      const expected = await engine.estimate(experiment('adamq3r'));
      if (typeof expected === 'string' || expected > STEP_LIMIT_MS) {
        const why = typeof expected === 'string' ? expected : `left out: about ${round(expected / 1000)} s a step here`;
        rows.push({ preset: label, 'AdamW ms': why });
        continue;
      }
      const steps = stepsFor(expected);
      const plain: number[] = [];
      const q3r: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        plain.push((await engine.time(experiment('adamw'), 5, steps)).msPerStep);
        q3r.push((await engine.time(experiment('adamq3r'), 5, steps)).msPerStep);
      }
      const ratio = median(q3r.map((ms, i) => ms / plain[i]!));
      rows.push({
        preset: label,
        'AdamW ms': round(median(plain)),
        'AdamQ3R ms': round(median(q3r)),
        ratio: Number(ratio.toFixed(3)),
        overhead: `${((ratio - 1) * 100).toFixed(1)} %`,
      });
    }
    return rows;
  } finally {
    engine.close();
  }
}
