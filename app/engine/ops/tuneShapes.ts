import { matmulVariant, roundsOperands, unitVariants } from '../../../kernels/matmul/matmul';
import { ceilDiv } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder } from '../gpu/recorder';
import { MIN_PART, describeMatmul, matmulScratchBytes, matmulShapeKey, recordMatmul, type MatmulShape, type MatmulTuning } from './matmul';
import { Contestants, Race, awake, within } from './timing';

/** What a measurement decides for one shape: the variant and the parts k is cut into. */
export type ShapeChoices = NonNullable<MatmulTuning['shapes']>;

/** Tilings that are the fastest for some product on a graphics card, best bets first. */
export const SHAPE_CANDIDATES: readonly string[] = ['s64x64', 's64x96', 's128x128', 's32x32'];
/** Tilings by the device's largest matrix unit, for products that may be rounded, best bets first. */
function unitCandidates({ info }: Gpu): string[] {
  const units = [...info.units].sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k).slice(0, 1);
  return unitVariants({ ...info, units }).map(({ id }) => id);
}

/** Workgroups that a product split over k comes near to; a card takes a few per core, and how many cores it has is not told. */
const GROUPS = [192, 384, 768];
/** Products with less than this share of a step's work are left to the rates by kind. */
const LEAST_SHARE = 0.01;

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
 * Measures a few tilings on exactly these products, in at most `budgetMs` (default 1500) and one more timing. The first tiling of every
 * shape comes first, that which `first` would take where it is given, then the second of every shape, and so on, heavy shapes before
 * light ones: what there is no time for is not compiled, either. A shape has an entry once two have been compared, or all that there are.
 * Choices without a split give the same bits but for matrix units, which are tried where `halves` allows it; parts of k are added up in
 * another order, within rounding. Frees everything it allocates, a program that was still being compiled at the end as soon as it is.
 * Measurements differ from call to call: keep the result.
 * @throws OutOfMemoryError where operands of this size find no room beside what is there
 */
export async function tuneShapes(
  gpu: Gpu,
  shapes: readonly MatmulShape[],
  o: { budgetMs?: number | undefined; candidates?: readonly string[] | undefined; first?: MatmulTuning } = {},
): Promise<ShapeChoices> {
  const end = performance.now() + (o.budgetMs ?? 1500);
  const list = heaviest(shapes);
  if (list.length === 0) return {};
  const units = unitCandidates(gpu);
  const contests = list.map((shape) => {
    const known = o.first ? [describeMatmul(o.first, shape).variant] : [];
    const tried = o.candidates ?? [...(roundsOperands(shape.halves) ? units : []), ...SHAPE_CANDIDATES];
    const ids = [...new Set([...known, ...tried])];
    const rounds = ids.map((id) => partsOf(shape, id).map((splits): Trial => ({ shape, choice: [id, splits] })));
    return { shape, rounds, race: new Race<Trial['choice']>(gpu), met: 0 };
  });
  const most = (size: (shape: MatmulShape) => number): number => 4 * Math.max(...list.map((s) => size(s) * (s.batch ?? 1)));
  const scratchBytes = contests.flatMap(({ rounds }) => rounds.flat().map((trial) => matmulScratchBytes(tuningOf(trial), trial.shape)));
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
    scratch: gpu.buffers.allocate('tune.scratch', Math.max(256, ...scratchBytes)),
  }));
  const contestants = new Contestants();
  try {
    for (let round = 0; contests.some(({ rounds }) => rounds[round]); round++) {
      if (performance.now() >= end) break;
      // All of a round at once: drivers compile in parallel, and most trials share a few kernels.
      const building = contests.map(({ rounds }) =>
        Promise.all((rounds[round] ?? []).map((trial) => contestants.add(recorderOf(gpu, trial, views).build()))),
      );
      const built = await within(awake(gpu, Promise.all(building), { end }), end);
      if (!built) break;
      for (const [i, contest] of contests.entries()) {
        if (performance.now() >= end) break;
        for (const [j, program] of built[i]!.entries()) if (program) await contest.race.enter(contest.rounds[round]![j]!.choice, program);
        contest.met++;
      }
    }
    return Object.fromEntries(
      contests.flatMap(({ shape, rounds, race, met }) =>
        race.best && met >= Math.min(2, rounds.length) ? [[matmulShapeKey(shape), race.best] as const] : [],
      ),
    );
  } finally {
    contestants.dispose();
    for (const view of Object.values(views)) gpu.buffers.free(view);
  }
}

function recorderOf(gpu: Gpu, trial: Trial, views: { a: View; b: View; out: View; scratch: View }): Recorder {
  const recorder = new Recorder(gpu, 'tune');
  recordMatmul(recorder, tuningOf(trial), { ...trial.shape, ...views });
  return recorder;
}
