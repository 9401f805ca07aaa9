import { presetExperiment } from '../../../app/protocol/presets';
import type { Experiment } from '../../../app/protocol/experiment';
import { openEngine, type EngineBench } from '../engine';
import { mebibytes, round, type Row } from '../section';

export const title = 'A dense training step as it grows, one size at a time';
export const note =
  'GFLOP and GB of a step: by formula, from the dispatches that it is made of. Planned and measured: GPU memory of the run, its data of ' +
  '65 MiB included. Time: the fastest of three rounds, of one where a step takes over a second. The last line of each part: the exponent of the time in the operations (in the bytes), by least squares of the logarithms. ' +
  '`scaling:tokens,width` measures some of the parts.';

type Axis = 'tokens' | 'width' | 'depth' | 'batch';

interface Base {
  readonly patch: number;
  readonly width: number;
  readonly heads: number;
  readonly depth: number;
  readonly batch: number;
}

/** Around what the sizes are varied: a step of a tenth of a second on a software adapter, ViT-Tiny/4 on a graphics card. */
const BASES: Record<'software' | 'hardware', Base> = {
  software: { patch: 8, width: 48, heads: 4, depth: 2, batch: 8 },
  hardware: { patch: 4, width: 192, heads: 4, depth: 6, batch: 64 },
};
/** Tokens follow from the patch size on images of 32 pixels: 17, 65, 257. */
const VALUES: Record<Axis, readonly number[]> = {
  tokens: [17, 65, 257],
  width: [48, 96, 192, 384],
  depth: [2, 4, 6, 8, 12],
  batch: [8, 16, 32, 64, 128, 256],
};
const AXES = Object.keys(VALUES) as Axis[];
const patchOf = (tokens: number): number => 32 / Math.sqrt(tokens - 1);

/** Steps of each of three rounds, of which the fastest counts: neighbours of the process slow a step down, and nothing makes it faster. */
const ROUNDS = 3;
const STEPS = { least: 2, most: 20, milliseconds: 1200 };
/** Of steps longer than this, one warms up and two are timed, once. */
const LONG_MS = 1000;
/** Longest step by the engine's estimate, which is two or three times too long: about ten seconds. */
const STEP_LIMIT_MS = 25_000;

function experimentOf(o: Base): Experiment {
  const nano = presetExperiment('nano');
  return {
    ...nano,
    model: { ...nano.model, patchSize: o.patch, embedDim: o.width, numHeads: o.heads, depth: o.depth, mlpRatio: 4 },
    train: { ...nano.train, batchSize: o.batch, evalEvery: 0 },
    method: { ...nano.method, name: 'adamw' },
  };
}

const withValue = (base: Base, axis: Axis, value: number): Base =>
  axis === 'tokens' ? { ...base, patch: patchOf(value) } : { ...base, [axis]: value };

interface Measured {
  readonly ms: number;
  readonly flops: number;
  readonly bytes: number;
}

/** Slope of ln(y) against ln(x), by least squares. */
function exponent(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (i: 0 | 1): number => logs.reduce((sum, point) => sum + point[i], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const over = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

async function measure(engine: EngineBench, experiment: Experiment): Promise<{ row: Row; found?: Measured }> {
  const { client } = engine;
  const expected = await engine.estimate(experiment);
  if (typeof expected === 'string' || expected > STEP_LIMIT_MS)
    return { row: { 'ms/step': typeof expected === 'string' ? expected : `left out: about ${round(expected / 1000)} s a step here` } };
  const plan = await client.send('plan', { experiment });
  const report = await client.send('roofline', { experiment, seconds: 0 });
  const flops = report.kernels.reduce((sum, k) => sum + k.flops, 0);
  const bytes = report.kernels.reduce((sum, k) => sum + k.bytes, 0);
  const long = report.stepMilliseconds > LONG_MS;
  const steps = Math.min(STEPS.most, Math.max(STEPS.least, Math.round(STEPS.milliseconds / report.stepMilliseconds)));
  const rounds: number[] = [];
  await client.send('configure', { experiment });
  await engine.more(long ? 1 : 2, true);
  for (let i = 0; i < (long ? 1 : ROUNDS); i++) rounds.push((await engine.more(steps, true)).msPerStep);
  const ms = Math.min(...rounds);
  const { liveBytes, stagingBytes } = await client.send('memory', {});
  const row = {
    'GFLOP/step': round(flops / 1e9),
    'GB/step': round(bytes / 1e9),
    'ms/step': round(ms),
    'GFLOP/s': round(flops / ms / 1e6),
    'GB/s': round(bytes / ms / 1e6),
    'planned MiB': mebibytes(plan.bytes.total),
    'measured MiB': mebibytes(liveBytes - stagingBytes),
  };
  return { row, found: { ms, flops, bytes } };
}

/** @param which parts to measure, separated by commas; all when absent */
export async function run(which?: string): Promise<Row[]> {
  const engine = await openEngine();
  try {
    const base = BASES[engine.device.software ? 'software' : 'hardware'];
    const wanted = which?.split(',') ?? AXES;
    const rows: Row[] = [];
    for (const axis of AXES.filter((name) => wanted.includes(name))) {
      const points: Measured[] = [];
      for (const value of VALUES[axis]) {
        const sizes = withValue(base, axis, value);
        const { row, found } = await measure(engine, experimentOf(sizes));
        rows.push({
          vary: axis,
          value,
          tokens: (32 / sizes.patch) ** 2 + 1,
          'width × depth': `${sizes.width} × ${sizes.depth}`,
          batch: sizes.batch,
          ...row,
        });
        if (found) points.push(found);
      }
      if (points.length < 2) continue;
      const of = (pick: (p: Measured) => number): string => exponent(points.map((p) => [pick(p), p.ms])).toFixed(2);
      rows.push({ vary: axis, value: 'fit', 'ms/step': `FLOP^${of((p) => p.flops)} (byte^${of((p) => p.bytes)})` });
    }
    return rows;
  } finally {
    engine.close();
  }
}
