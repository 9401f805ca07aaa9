import { PRESETS, presetExperiment } from '../../../app/protocol/presets';
import { CURVE_FRACTIONS } from '../../../app/protocol/truncation';
import { STEP_LIMIT_MS, openEngine } from '../engine';
import { round, type Row } from '../section';

export const title = 'Truncated models, 1,000 images';
export const note =
  'Cold and warm: exact SVD of all matrices. Full, 20 %, 50 %: time of one image, as the page shows it. Slider: one new share of weights ' +
  'already decomposed, from asking to the answer. Curve: eleven shares and the full model.';

export async function run(): Promise<Row[]> {
  const engine = await openEngine();
  const { client } = engine;
  try {
    const rows: Row[] = [];
    for (const { key, label } of PRESETS) {
      const base = presetExperiment(key);
      const experiment = { ...base, train: { ...base.train, evalEvery: 0, evalCount: 1000 } };
      const expected = await engine.estimate(experiment);
      if (typeof expected === 'string' || expected > STEP_LIMIT_MS) {
        rows.push({
          preset: label,
          'cold ms': typeof expected === 'string' ? expected : `left out: about ${round(expected / 1000)} s a step here`,
        });
        continue;
      }
      await client.send('configure', { experiment });
      await client.send('reset', {});
      await client.send('step', { count: 10 });
      const ask = async (values: readonly number[]) => {
        const from = performance.now();
        const report = await client.send('truncate', { values: [...values], by: 'fraction' });
        return { ...report, wall: performance.now() - from };
      };
      const cold = await ask([0.25]);
      await client.send('step', { count: 1 });
      const warm = await ask([0.2, 0.5]);
      const slider = await ask([0.35]);
      await client.send('step', { count: 1 });
      const curve = await ask(CURVE_FRACTIONS);
      const ms = (value: number | null | undefined) => (value ? round(value) : '–');
      rows.push({
        preset: label,
        'cold ms': round(cold.decomposition),
        'warm ms': round(warm.decomposition),
        'full ms/image': ms(warm.full.milliseconds),
        '20 % ms/image': ms(warm.cuts[0]?.milliseconds),
        '50 % ms/image': ms(warm.cuts[1]?.milliseconds),
        'slider ms': round(slider.wall),
        'curve ms': round(curve.wall),
      });
    }
    return rows;
  } finally {
    engine.close();
  }
}
