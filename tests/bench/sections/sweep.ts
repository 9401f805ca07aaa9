import { MATMUL_VARIANTS, unitVariants, type MatmulVariant } from '../../../kernels/matmul/matmul';
import { Gpu } from '../../../app/engine/gpu/device';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { matmulShapeKey, matmulScratchBytes, recordMatmul, type MatmulShape, type MatmulTuning } from '../../../app/engine/ops/matmul';
import { awake, secondsFor } from '../../../app/engine/ops/timing';
import { round, type Row } from '../section';

export const title = 'Every tiling on the products of ViT-Tiny/4 at batch 128, TFLOP/s (/ parts of k)';
export const note =
  'error: largest difference from float64 on 96 × 80 × 176 NT and TN, operands in [-1, 1). m…: matrix units, A and for TN also B stored as halves.';

/** What one call may take on a machine that is lent by the second. */
const LONGEST_MS = 21_000;

const none = { small: {}, large: {} };
const tuningOf = (shape: MatmulShape, id: string, splits: number): MatmulTuning => ({
  version: 1,
  rates: { nn: none, nt: none, tn: none },
  fill: 0,
  shapes: { [matmulShapeKey(shape)]: [id, splits] },
});

const SMALL: readonly MatmulShape[] = [
  { m: 96, n: 80, k: 176, transB: true },
  { m: 96, n: 80, k: 176, transA: true },
];

async function errorOf(gpu: Gpu, id: string): Promise<number> {
  let worst = 0;
  for (const shape of SMALL) {
    const { m, n, k } = shape;
    const number = (i: number): number => Math.fround(((i * 2654435761) % 4294967296) / 2147483648 - 1);
    const x = Float32Array.from({ length: m * k }, (_, i) => number(i + 1));
    const y = Float32Array.from({ length: k * n }, (_, i) => number(7 * i + 3));
    const views = { a: gpu.upload('a', x), b: gpu.upload('b', y), out: gpu.buffers.allocate('out', m * n * 4) };
    const recorder = new Recorder(gpu, 'error');
    recordMatmul(recorder, tuningOf(shape, id, 1), { ...shape, ...views });
    const program = await recorder.build();
    program.run();
    const got = await gpu.readFloats(views.out);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += x[shape.transA ? l * m + i : i * k + l]! * y[shape.transB ? j * k + l : l * n + j]!;
        worst = Math.max(worst, Math.abs(sum - got[i * n + j]!));
      }
    program.dispose();
    for (const view of Object.values(views)) gpu.buffers.free(view);
  }
  return worst;
}

/** All tilings, and those of every matrix unit that the device has. */
function variantsOf({ info }: Gpu): readonly MatmulVariant[] {
  return [...MATMUL_VARIANTS, ...unitVariants(info)];
}

/**
 * `sweep:BATCH` takes the products at that batch size, 128 unless it is given; `sweep:BATCH/IDS` only the tilings whose id begins
 * with one of IDS, separated by commas.
 */
export async function run(argument?: string): Promise<Row[]> {
  const gpu = await Gpu.open();
  const [batch = '128', ids = ''] = (argument ?? '').split('/');
  const tokens = 65 * Number(batch || 128);
  const large = Number(batch || 128) >= 64;
  const shapes: readonly MatmulShape[] = [
    { m: tokens, n: 576, k: 192, transB: true },
    { m: tokens, n: 192, k: 192, transB: true },
    { m: tokens, n: 768, k: 192, transB: true },
    { m: tokens, n: 192, k: 768, transB: true },
    { m: tokens, n: 192, k: 192 },
    { m: tokens, n: 192, k: 576 },
    { m: tokens, n: 192, k: 768 },
    { m: tokens, n: 768, k: 192 },
    { m: 576, n: 192, k: tokens, transA: true },
    { m: 192, n: 192, k: tokens, transA: true },
    { m: 768, n: 192, k: tokens, transA: true },
    ...(large
      ? [
          { m: 4096, n: 4096, k: 4096 },
          { m: 4, n: 4, k: 4 },
        ]
      : []),
  ];
  try {
    const rows: Row[] = [];
    const begun = performance.now();
    for (const variant of variantsOf(gpu)) {
      const { id, lanes, mt, nt, wx, wy, unit } = variant;
      if (lanes || (ids && !ids.split(',').some((part) => id.startsWith(part)))) continue;
      if (performance.now() - begun > LONGEST_MS) {
        rows.push({ variant: `${id}: not measured, the time is up` });
        break;
      }
      try {
        const row: Record<string, string | number> = { variant: id };
        for (const plain of shapes) {
          const shape = unit ? { ...plain, halves: { a: true, b: plain.transA === true } } : plain;
          const { m, n, k } = shape;
          const tiles = Math.ceil(m / (mt * wy)) * Math.ceil(n / (nt * wx));
          const parts = shape.transA ? [...new Set([264, 396, 528].map((groups) => Math.max(1, Math.round(groups / tiles))))] : [1];
          const [a, b, out] = [m * k, k * n, m * n].map((size) => gpu.buffers.allocate('sweep', size * 4));
          let best = '';
          let most = 0;
          for (const wanted of parts) {
            const tuning = tuningOf(shape, id, wanted);
            const bytes = matmulScratchBytes(tuning, shape);
            const scratch = bytes > 0 ? gpu.buffers.allocate('sweep.scratch', bytes) : undefined;
            const recorder = new Recorder(gpu, 'sweep');
            recordMatmul(recorder, tuning, { ...shape, a: a!, b: b!, out: out!, scratch });
            const program = await awake(gpu, recorder.build());
            const seconds = await secondsFor(gpu, program, 2);
            const rate = (2 * m * n * k) / seconds / 1e12;
            if (rate > most)
              [most, best] = [rate, m === 4 ? `${round(seconds * 1e6)} µs` : `${rate.toFixed(1)}${wanted > 1 ? `/${wanted}` : ''}`];
            program.dispose();
            if (scratch) gpu.buffers.free(scratch);
          }
          row[matmulShapeKey(plain).replace(String(tokens), 'T')] = best;
          for (const view of [a, b, out]) if (view) gpu.buffers.free(view);
        }
        row.error = (await errorOf(gpu, id)).toExponential(1);
        rows.push(row);
      } catch (error) {
        rows.push({ variant: `${id}: ${String(error).slice(0, 80)}` });
      }
    }
    return rows;
  } finally {
    gpu.dispose();
  }
}
