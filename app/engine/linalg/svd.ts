import { slice } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { MAX_SWEEPS, SvdBatch } from './svdBatch';

/** Row-major f32. */
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
}
export interface SvdOptions {
  /** Leading triplets wanted; all of them when absent. */
  readonly rank?: number;
  readonly exact?: boolean;
  readonly oversample?: number;
  /** Subspace iterations before the first look at the error; more follow while it is too large. */
  readonly powerIterations?: number;
  /** False takes the sketch as it is after those iterations and the pass that finds its range, however large its error: for looking at what a sketch does. */
  readonly refine?: boolean;
}
export interface Svd {
  /** rows × count, row-major. Where a singular value is exactly 0, the vector of the longer side is 0, too. */
  readonly u: Float32Array;
  readonly s: Float32Array;
  /** cols × count, row-major. */
  readonly v: Float32Array;
}

/** Largest ‖Aᵀu − σv‖ / σ₁ of a kept triplet: σ is then right to about the square of it over the spectral gap. */
const TRIPLET_ERROR = 2e-3;
/** Rounds of subspace iteration before the exact decomposition is the cheaper way. */
const ROUNDS = 4;

/** Throws unless the matrix is what its size says. */
export function checkMatrix(a: Matrix, what = 'the matrix'): void {
  if (!(Number.isInteger(a.rows) && Number.isInteger(a.cols) && a.rows > 0 && a.cols > 0))
    throw new Error(`${what} is ${a.rows} × ${a.cols}`);
  if (a.data.length !== a.rows * a.cols) throw new Error(`${what} has ${a.data.length} entries instead of ${a.rows} × ${a.cols}`);
  if (!a.data.every(Number.isFinite)) throw new Error(`${what} has an entry that is not finite`);
}

/**
 * Singular value decomposition of one matrix by the trainer's kernels: all min(rows, cols) triplets, or the leading `rank`
 * ones by a randomized range finder from a Gaussian start that iterates until its own residual is small and otherwise
 * falls back to the exact decomposition. σ within 1e-3 σ₁ (randomized) or 2e-5 σ₁ (exact).
 * @throws Error when the sizes disagree or an entry is not finite.
 */
export async function svd(gpu: Gpu, a: Matrix, o: SvdOptions = {}): Promise<Svd> {
  checkMatrix(a);
  const short = Math.min(a.rows, a.cols);
  const count = Math.min(short, o.rank ?? short);
  if (!Number.isInteger(count) || count < 1) throw new Error(`rank is ${o.rank}, not a whole number from 1 on`);
  const arena = gpu.upload('svd.matrix', a.data);
  const batch = new SvdBatch(gpu, { matrices: [{ name: 'matrix', offset: 0, rows: a.rows, cols: a.cols }], arena });
  try {
    await batch.build();
    const sketch = Math.min(short, count + 1 + (o.oversample ?? Math.max(8, count)));
    if (o.refine === false && !o.exact && sketch < short) {
      batch.configure([count], [sketch]);
      batch.sketch(1 + (o.powerIterations ?? 0), MAX_SWEEPS, 'fine').run(runs(batch));
    } else if (o.exact || sketch === short || !(await sketchUntilSmall(gpu, batch, count, sketch, o.powerIterations ?? 4)))
      batch.coldExact().run(runs(batch));
    return await batch.readTriplets(0, count);
  } finally {
    batch.dispose();
    gpu.buffers.free(arena);
  }
}

async function sketchUntilSmall(gpu: Gpu, batch: SvdBatch, count: number, sketch: number, powers: number): Promise<boolean> {
  batch.configure([count], [sketch]);
  for (let round = 0; round < ROUNDS; round++) {
    batch.sketch(powers, MAX_SWEEPS, 'fine').run(runs(batch));
    const [squares, sigma, [status]] = await Promise.all([
      gpu.readFloats(slice(batch.columns, 0, count)),
      gpu.readFloats(slice(batch.sigma, 0, count)),
      batch.readStatus(),
    ]);
    const worst = Math.sqrt(Math.max(...squares)) * (status?.scale ?? 1);
    if (worst <= TRIPLET_ERROR * (sigma[0] ?? 0)) return true;
  }
  return false;
}

/** Submits that keep each under about 0.1 s on a software adapter. */
const runs = (batch: SvdBatch) => Math.max(1, Math.ceil(batch.layout.maxK / 32));
