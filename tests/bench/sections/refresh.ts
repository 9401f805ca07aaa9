import { Gpu } from '../../../app/engine/gpu/device';
import { Program } from '../../../app/engine/gpu/recorder';
import { Q3rBatch } from '../../../app/engine/linalg/q3rBatch';
import { MAX_SWEEPS, SvdBatch, hardwareTuning, type SvdTuning } from '../../../app/engine/linalg/svdBatch';
import { awake } from '../../../app/engine/ops/timing';
import { DispatchClock } from '../../../app/engine/profile/clock';
import { uniform } from '../../support/gpu';
import { median, round, type Row } from '../section';
import { benchSvd, vitTinyMatrices } from '../svd';

export const title = 'A Q3R refresh of ViT-Tiny, as the trainer does it';
export const note =
  'Weights move between refreshes as in a run; a software adapter gets two of the twelve blocks. With the argument `kernels`: ways to cut the ' +
  'kernels (lanes × eights of sweeps, lanes of the square, invocations of Cholesky and of a tile of inner products), a sketch of 94 columns by each, alone and with what its guard does again, and the time of every kernel.';

export async function run(argument?: string): Promise<Row[]> {
  const gpu = await Gpu.open();
  try {
    if (argument === 'kernels') return await kernels(gpu);
    return (await benchSvd(gpu)).map(({ name, matrices, ms, note: what }) => ({ what: name, matrices, ms: round(ms), how: what }));
  } finally {
    gpu.dispose();
  }
}

const COLUMNS = 94;
const RANK = 38;
const REPETITIONS = 5;
/** Milliseconds after which no other candidate is begun: a new way to cut the sweeps takes seconds to compile. */
const PATIENCE = 9000;

/** Candidates that the device's limits admit, the present choice first. */
function candidates(gpu: Gpu): [string, SvdTuning][] {
  const { maxComputeWorkgroupStorageSize: memory, maxComputeInvocationsPerWorkgroup: most } = gpu.info;
  const base = hardwareTuning(COLUMNS, memory, most);
  const out: [string, SvdTuning][] = [['present', base]];
  for (const wide of [128, 512, 1024]) if (wide <= most) out.push([`cholesky ${wide}`, { ...base, wide }]);
  for (const across of [4, 16]) out.push([`inner ${across}`, { ...base, across }]);
  for (const lanes of [4, 16]) {
    const square = base.square && { side: base.square.side, lanes };
    if (square && (square.side * lanes) / 2 <= most) out.push([`square ${lanes}`, { ...base, square }]);
  }
  for (const [LANES, PAIRS] of [
    [16, 2],
    [32, 4],
    [32, 1],
    [64, 1],
  ] as const)
    if (base.apart && 144 * LANES * PAIRS + 16 <= memory && LANES * PAIRS <= most)
      out.push([`rounds ${LANES}×${PAIRS}`, { ...base, apart: { ...base.apart, lanes: { LANES, PAIRS } } }]);
  for (const [LANES, PAIRS] of [
    [8, 24],
    [16, 12],
    [16, 16],
    [32, 8],
  ] as const)
    if (144 * LANES * PAIRS + 16 <= memory && LANES * PAIRS <= most)
      out.push([`sweeps ${LANES}×${PAIRS}`, { ...base, lanes: { LANES, PAIRS } }]);
  return out;
}

async function kernels(gpu: Gpu): Promise<Row[]> {
  const matrices = vitTinyMatrices(gpu.info.software ? 1 : 12);
  const elements = matrices.reduce((sum, m) => sum + m.rows * m.cols, 0);
  const weights = uniform(elements, 1, -0.035, 0.035);
  const moved = uniform(elements, 2, -1e-3, 1e-3);
  const arena = gpu.upload('bench.weights', weights);
  const clock = DispatchClock.create(gpu);
  const rows: Row[] = [];
  const place = (times: number): void =>
    gpu.write(
      arena,
      weights.map((w, i) => w + times * moved[i]!),
    );
  const timed = async (program: Program): Promise<number> => {
    await awake(gpu, gpu.idle());
    const from = performance.now();
    program.run();
    await gpu.idle();
    return performance.now() - from;
  };
  const list = candidates(gpu);
  const begun = performance.now();
  for (const [index, [name, tuning]] of list.entries()) {
    if (performance.now() - begun > PATIENCE) break;
    const svd = new SvdBatch(gpu, { matrices, arena, tuning, skipOverRank: true });
    const operator = new Q3rBatch(gpu, svd, { epsilonSchedule: 'default', epsilonN: 100, skipOverRank: true });
    await Promise.all([svd.build(), operator.build()]);
    svd.configure(
      matrices.map(() => RANK),
      matrices.map(() => COLUMNS),
    );
    const guarded = Program.sequence(gpu, 'guarded', [
      { program: svd.sketch(1, MAX_SWEEPS) },
      operator.update('guard'),
      { program: svd.redo() },
      operator.update('exact'),
    ]);
    const sketch = Program.sequence(gpu, 'sketch', [{ program: svd.sketch(1, MAX_SWEEPS) }, operator.update('sketch')]);
    const exact = Program.sequence(gpu, 'exact', [{ program: svd.exact(MAX_SWEEPS) }, operator.update('exact')]);
    const cold = Program.sequence(gpu, 'cold', [{ program: svd.coldExact() }, operator.update('exact')]);
    const measure = async (program: Program, times: (i: number) => number): Promise<number> => {
      const all: number[] = [];
      for (let i = 0; i < REPETITIONS; i++) {
        place(times(i));
        all.push(await timed(program));
      }
      return round(median(all));
    };
    place(0);
    await timed(cold);
    const sketchMs = await measure(sketch, (i) => i + 1);
    const flagged = (await svd.readStatus()).filter((s) => s.clipped || s.coarse || s.unfinished).length;
    place(0);
    await timed(cold);
    const guardedMs = await measure(guarded, (i) => i + 1);
    const status = await svd.readStatus();
    place(0);
    await timed(cold);
    const exactMs = await measure(exact, (i) => i + 1);
    const most = Math.max(...(await svd.readStatus()).map((s) => s.sweeps));
    const coldMs = await measure(cold, () => 0);
    rows.push({
      what: name,
      sketch: sketchMs,
      guarded: guardedMs,
      sweeps: Math.max(...status.map((s) => s.sweeps)),
      flagged,
      exact: exactMs,
      'exact sweeps': most,
      cold: coldMs,
    });
    if (clock && index === 0)
      for (const [what, program] of [
        ['sketch', sketch],
        ['guarded', guarded],
        ['exact', exact],
        ['cold', cold],
      ] as const) {
        place(0);
        await timed(cold);
        place(1);
        await awake(gpu, gpu.idle());
        const ms = await clock.time(program, () => undefined);
        const sums = new Map<string, { ms: number; n: number }>();
        program.describe().forEach((d, i) => {
          const sum = sums.get(d.kernel) ?? { ms: 0, n: 0 };
          sums.set(d.kernel, { ms: sum.ms + ms[i]!, n: sum.n + 1 });
        });
        rows.push({
          what: `  ${what}, by kernel`,
          kernels: [...sums]
            .sort(([, a], [, b]) => b.ms - a.ms)
            .slice(0, 14)
            .map(([kernel, { ms: total, n }]) => `${kernel.replace(/^(svd|q3r)\//, '')} ${n}: ${total.toFixed(3)}`)
            .join(', '),
        });
      }
    operator.dispose();
    svd.dispose();
  }
  clock?.dispose();
  gpu.buffers.free(arena);
  return rows;
}
