import type { Experiment, MethodName } from '../../../app/protocol/experiment';
import { patchExperiment } from '../../../app/protocol/experiment';
import { presetExperiment } from '../../../app/protocol/presets';
import { STEP_LIMIT_MS, openEngine, stepsFor, type EngineBench, sizes } from '../engine';
import { median, round, type Row } from '../section';

export const title = 'AdamQ3R over AdamW, refresh every 5 steps';
export const note =
  'Presets: median of three alternating pairs in one session, so that a device that warms up or slows down hits both alike. ' +
  'Operator: 2λR(X) and its value, each step; refresh: the decomposition, every fifth. Both see the weights alone, so that what they add is ' +
  'the same at any batch: where a batch of 128 takes too long, it is that of the batch above, over AdamW at 128.';

const ROUNDS = 3;
const PERIOD = 5;
/** Periods whose parts are told apart. */
const PERIODS = 4;

const withMethod = (base: Experiment, name: MethodName): Experiment => ({
  ...base,
  train: { ...base.train, evalEvery: 0 },
  method: { ...base.method, name, reweightEvery: PERIOD },
});

interface Added {
  /** Milliseconds of each step, and of each refresh. */
  readonly operator: number;
  readonly refresh: number;
  readonly perStep: number;
}

/** What AdamQ3R adds to a step of AdamW of `plain` ms, from `periods` periods behind the second refresh. */
async function added(engine: EngineBench, experiment: Experiment, plain: number, periods: number): Promise<Added> {
  const between: number[] = [];
  const refreshing: number[] = [];
  for (let i = 0; i < periods; i++) {
    // Steps 1, 6, 11, … refresh.
    const steps = i === 0 ? engine.time(experiment, PERIOD + 1, PERIOD - 1) : engine.more(PERIOD - 1);
    between.push((await steps).msPerStep);
    refreshing.push((await engine.more(1)).msPerStep);
  }
  const operator = median(between) - plain;
  const refresh = median(refreshing) - median(between);
  return { operator, refresh, perStep: operator + refresh / PERIOD };
}

const figures = (plain: number, { operator, refresh, perStep }: Added, ratio = 1 + perStep / plain): Row => ({
  'AdamW ms': round(plain),
  'AdamQ3R ms': round(ratio * plain),
  ratio: Number(ratio.toFixed(3)),
  'operator ms': round(operator),
  'refresh ms': round(refresh),
});

/** One block at the sizes of ViT-Tiny/4 with all its tokens, where the model itself takes minutes a step. */
async function oneBlock(engine: EngineBench): Promise<Row[]> {
  const block = (batchSize: number) =>
    patchExperiment(presetExperiment('tiny'), { model: { depth: 1, pool: 'avg' }, train: { batchSize } });
  const plain = (await engine.time(withMethod(block(32), 'adamw'), 1, 3)).msPerStep;
  const more = await added(engine, withMethod(block(32), 'adamq3r'), plain, 2);
  const large = (await engine.time(withMethod(block(128), 'adamw'), 1, 2)).msPerStep;
  return [
    { preset: 'ViT-Tiny/4, one block, batch 32', ...figures(plain, more) },
    { preset: 'ViT-Tiny/4, one block, batch 128', ...figures(large, more) },
  ];
}

/** `overhead:KEY` takes one preset. */
export async function run(argument?: string): Promise<Row[]> {
  const engine = await openEngine();
  try {
    const rows: Row[] = [];
    for (const { key, label } of sizes(argument)) {
      const experiment = (name: MethodName) => withMethod(presetExperiment(key), name);
      const expected = await engine.estimate(experiment('adamq3r'));
      if (typeof expected === 'string' || expected > STEP_LIMIT_MS) {
        const why = typeof expected === 'string' ? expected : `left out: about ${round(expected / 1000)} s a step here`;
        rows.push({ preset: label, 'AdamW ms': why });
        if (key === 'tiny') rows.push(...(await oneBlock(engine)));
        continue;
      }
      const steps = stepsFor(expected);
      const plain: number[] = [];
      const q3r: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        plain.push((await engine.time(experiment('adamw'), PERIOD, steps)).msPerStep);
        q3r.push((await engine.time(experiment('adamq3r'), PERIOD, steps)).msPerStep);
      }
      const ratio = median(q3r.map((ms, i) => ms / plain[i]!));
      // One call at a time drains the queue: the same for AdamW.
      const alone = [(await engine.time(experiment('adamw'), PERIOD, PERIOD - 1)).msPerStep];
      for (let i = 1; i < PERIODS; i++) alone.push((await engine.more(PERIOD - 1)).msPerStep);
      const parts = await added(engine, experiment('adamq3r'), median(alone), PERIODS);
      rows.push({ preset: label, ...figures(median(plain), parts, ratio) });
    }
    return rows;
  } finally {
    engine.close();
  }
}
