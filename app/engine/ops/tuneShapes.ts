import { matmulVariant, roundsOperands, unitVariants } from '../../../kernels/matmul/matmul';
import { ceilDiv } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder, type Program } from '../gpu/recorder';
import { MIN_PART, matmulScratchBytes, matmulShapeKey, recordMatmul, type MatmulShape, type MatmulTuning } from './matmul';

/** What a measurement decides for one shape: the variant and the parts k is cut into. */
export type ShapeChoices = NonNullable<MatmulTuning['shapes']>;

/** Tilings that are the fastest for some product on a graphics card, best bets first. */
export const SHAPE_CANDIDATES: readonly string[] = ['s64x64', 's64x96', 's128x128', 's32x32'];
/** Tilings by the device's largest matrix unit, for products that may be rounded. */
function unitCandidates({ info }: Gpu): string[] {
  const { units, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = info;
  const [largest] = [...units].sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);
  const variants = unitVariants(largest ? [largest] : [], maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup);
  return variants.map(({ id }) => id).reverse();
}

/** Workgroups that a product split over k comes near to; a card takes a few per core, and how many cores it has is not told. */
const GROUPS = [192, 384, 768];
/** Products with less than this share of a step's work are left to the rates by kind. */
const LEAST_SHARE = 0.01;
/** Time below which the latency of a submit hides that of the work, and repetitions at most. */
const SHORTEST_MS = 1.5;
const MOST_REPEATS = 64;
/** A candidate so much slower than the best is not measured twice. */
const HOPELESS = 1.3;

interface Trial {
  readonly shape: MatmulShape;
  readonly choice: readonly [variant: string, splits: number];
}

/** The shapes that carry a step, each once, the heaviest first. */
export function heaviest(shapes: readonly MatmulShape[]): MatmulShape[] {
  const found = new Map<string, { shape: MatmulShape; work: number }>();
  let all = 0;
  for (const shape of shapes) {
    const work = shape.m * shape.n * shape.k * (shape.batch ?? 1);
    all += work;
    const key = matmulShapeKey(shape);
    found.set(key, { shape, work: work + (found.get(key)?.work ?? 0) });
  }
  return [...found.values()]
    .filter(({ work }) => work >= LEAST_SHARE * all)
    .sort((a, b) => b.work - a.work)
    .map(({ shape }) => shape);
}

/** The parts of k worth trying: none, and as many as bring the workgroups near each of `GROUPS`. */
function partsOf(shape: MatmulShape, id: string): number[] {
  const { mt, nt, wx, wy } = matmulVariant(id);
  const tiles = ceilDiv(shape.m, mt * wy) * ceilDiv(shape.n, nt * wx) * (shape.batch ?? 1);
  const most = Math.max(1, Math.floor(shape.k / MIN_PART));
  const wanted = GROUPS.map((groups) => Math.max(1, Math.min(most, Math.round(groups / tiles))));
  // A product with a tile for every workgroup is not split, and one with few is not tried whole.
  return [...new Set(wanted)];
}

const tuningOf = ({ shape, choice }: Trial): MatmulTuning => {
  const none = { small: {}, large: {} };
  return { version: 1, rates: { nn: none, nt: none, tn: none }, fill: 0, shapes: { [matmulShapeKey(shape)]: choice } };
};

/**
 * Measures a few tilings on exactly these products, for about `budgetMs` (default 1500) at most, heaviest first; a shape that there was
 * no time for has no entry. Choices without a split give the same
 * bits but for matrix units, which are tried where `halves` allows it; parts of k are added up in another order, within rounding.
 * Frees everything it allocates. Measurements differ from call to call: keep the result.
 * @throws OutOfMemoryError where operands of this size find no room beside what is there
 */
export async function tuneShapes(
  gpu: Gpu,
  shapes: readonly MatmulShape[],
  o: { budgetMs?: number; candidates?: readonly string[] } = {},
): Promise<ShapeChoices> {
  const end = performance.now() + (o.budgetMs ?? 1500);
  const list = heaviest(shapes);
  if (list.length === 0) return {};
  const units = unitCandidates(gpu);
  const candidates = (shape: MatmulShape): readonly string[] =>
    o.candidates ?? [...(roundsOperands(shape.halves) ? units : []), ...SHAPE_CANDIDATES];
  const trials = list.map((shape) =>
    candidates(shape).flatMap((id) => partsOf(shape, id).map((splits): Trial => ({ shape, choice: [id, splits] }))),
  );
  const most = (size: (shape: MatmulShape) => number): number => 4 * Math.max(...list.map((s) => size(s) * (s.batch ?? 1)));
  const scratchBytes = Math.max(256, ...trials.flat().map((trial) => matmulScratchBytes(tuningOf(trial), trial.shape)));
  const views = await gpu.guard('measuring matrix products', () => ({
    a: gpu.buffers.allocate(
      'tune.a',
      most(({ m, k }) => m * k),
    ),
    b: gpu.buffers.allocate(
      'tune.b',
      most(({ n, k }) => n * k),
    ),
    out: gpu.buffers.allocate(
      'tune.out',
      most(({ m, n }) => m * n),
    ),
    scratch: gpu.buffers.allocate('tune.scratch', scratchBytes),
  }));
  const programs: Program[] = [];
  try {
    // All at once: drivers compile in parallel, and most trials share a few kernels. One that a driver rejects is out of the race.
    const built = await Promise.all(trials.map((own) => Promise.all(own.map((trial) => build(gpu, trial, views, programs)))));
    const choices: Record<string, readonly [string, number]> = {};
    for (const [i, shape] of list.entries()) {
      const best = await race(gpu, built[i]!, end);
      if (best) choices[matmulShapeKey(shape)] = trials[i]![best.index]!.choice;
      if (performance.now() > end) break;
    }
    return choices;
  } finally {
    for (const program of programs) program.dispose();
    for (const view of Object.values(views)) gpu.buffers.free(view);
  }
}

async function build(
  gpu: Gpu,
  trial: Trial,
  views: { a: View; b: View; out: View; scratch: View },
  programs: Program[],
): Promise<Program | undefined> {
  const recorder = new Recorder(gpu, 'tune');
  recordMatmul(recorder, tuningOf(trial), { ...trial.shape, ...views });
  const program = await recorder.build().catch(() => undefined);
  if (program) programs.push(program);
  return program;
}

/** The fastest program; absent where the time ended before all had run. */
async function race(gpu: Gpu, programs: readonly (Program | undefined)[], end: number): Promise<{ index: number } | undefined> {
  const run = async (program: Program, repeats: number): Promise<number> => {
    const encoder = gpu.device.createCommandEncoder({ label: program.label });
    for (let i = 0; i < repeats; i++) program.encode(encoder);
    const begun = performance.now();
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.idle();
    return performance.now() - begun;
  };
  let repeats = 0;
  let best: { index: number; ms: number } | undefined;
  for (const [index, program] of programs.entries()) {
    if (!program) continue;
    if (performance.now() > end) return undefined;
    // The first run warms up: drivers finish compiling in it.
    await run(program, 1);
    if (repeats === 0) for (repeats = 4; repeats < MOST_REPEATS && (await run(program, repeats)) < SHORTEST_MS;) repeats *= 2;
    let ms = await run(program, repeats);
    if (!best || ms < HOPELESS * best.ms) ms = Math.min(ms, await run(program, repeats), await run(program, repeats));
    if (!best || ms < best.ms) best = { index, ms };
  }
  return best;
}
