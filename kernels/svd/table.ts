/** What the batched SVD and Q3R kernels know of a matrix; mirrors kernels/svd/common.wgsl. */

/** A row-major matrix inside the f32 parameter arena. */
export interface MatrixShape {
  readonly name: string;
  /** First element in the arena. */
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
}

/** A matrix with its place in the work buffers; counts are vec4s unless said otherwise. */
export interface MatrixEntry extends MatrixShape {
  /** Long and short side: A is p × k. */
  readonly p: number;
  readonly k: number;
  /** A = Wᵀ, because rows < cols. */
  readonly transposed: boolean;
  readonly pv: number;
  readonly kv: number;
  readonly y: number;
  readonly v: number;
  /** Columns of U and V that the factor buffer has room for. */
  readonly kept: number;
  readonly uAt: number;
  readonly vAt: number;
  /** First element of the per-column ranges. */
  readonly s: number;
}

export interface TableLayout {
  readonly entries: readonly MatrixEntry[];
  /** Sizes of the work buffers: long ranges, short ranges and factors in vec4s, columns in elements. */
  readonly long: number;
  readonly short: number;
  readonly factors: number;
  readonly columns: number;
  /** Largest k, pv · k and kv of all matrices. */
  readonly maxK: number;
}

export const MATRIX_BYTES = 72;
export const STATE_BYTES = 68;

/**
 * Lays out the work buffers. `vectors: false` leaves out U, for callers who want singular values only; `kept` has the columns of U and V that
 * each matrix keeps, all where it is absent.
 * @throws Error naming a matrix without rows or columns.
 */
export function layoutMatrices(shapes: readonly MatrixShape[], vectors = true, kept?: readonly number[]): TableLayout {
  let y = 0;
  let v = 0;
  let factors = 0;
  let s = 0;
  const entries = shapes.map((shape, i): MatrixEntry => {
    const { rows, cols } = shape;
    if (!(Number.isInteger(rows) && Number.isInteger(cols) && rows > 0 && cols > 0))
      throw new Error(`${shape.name}: a matrix of ${rows} × ${cols} has no singular values`);
    const p = Math.max(rows, cols);
    const k = Math.min(rows, cols);
    const pv = Math.ceil(p / 4);
    const kv = Math.ceil(k / 4);
    const columns = Math.min(k, kept?.[i] ?? k);
    const uAt = factors;
    const vAt = factors + (vectors ? pv * columns : 0);
    const entry = { ...shape, p, k, transposed: rows < cols, pv, kv, y, v, kept: columns, uAt, vAt, s };
    // X M of the Q3R operator is kept by rows in the same range: p rows of kv, which padding can make the larger.
    y += Math.max(pv * k, p * kv);
    v += kv * k;
    factors = vAt + kv * columns;
    s += k;
    return entry;
  });
  return { entries, long: y, short: v, factors, columns: s, maxK: Math.max(1, ...entries.map((e) => e.k)) };
}

/** Packs one record of the table; `gain` multiplies λ for this matrix, and `kept` columns of it are kept, at most those there is room for. */
export function packMatrix(e: MatrixEntry, rank: number, sketch: number, seed: number, gain = 1, kept = e.kept): Uint32Array<ArrayBuffer> {
  return new Uint32Array([
    e.offset,
    e.rows,
    e.cols,
    e.p,
    e.k,
    e.transposed ? 1 : 0,
    e.pv,
    e.kv,
    e.y,
    e.v,
    e.uAt,
    e.vAt,
    e.s,
    rank,
    sketch,
    seed >>> 0,
    new Uint32Array(Float32Array.of(gain).buffer)[0]!,
    kept,
  ]);
}

/** What the GPU reports of a matrix after a refresh. */
export interface MatrixStatus {
  /** Every column pair fell under the tolerance. */
  readonly converged: boolean;
  /** Columns of the decomposition: the sketch, or k. */
  readonly sketch: number;
  /** Jacobi sweeps used. */
  readonly sweeps: number;
  /** Refreshes so far. */
  readonly refreshes: number;
  /** Number of σ > ε. */
  readonly envelope: number;
  /** The sketch ended above ε: the envelope reached beyond it. */
  readonly clipped: boolean;
  /** The subspace was too coarse for the limit on `eta`. */
  readonly coarse: boolean;
  /** An exact decomposition that used no last vectors: most of its sweeps went over a triangle, and are not in `sweeps`. */
  readonly fromNothing: boolean;
  /** Jacobi ran out of sweeps. */
  readonly unfinished: boolean;
  /** Power of two that A = W / scale was divided by. */
  readonly scale: number;
  /** ‖W‖²_F. */
  readonly norm2: number;
  readonly epsilon: number;
  /** Largest |cos| between two columns met in the last sweep. */
  readonly off: number;
  /** ‖Wᵀ U − V Σ‖_F / ‖W‖_F over the kept triplets; 0 when exact. */
  readonly residual: number;
  /** First-order estimate of the relative error of R(W) from the unconverged subspace. */
  readonly eta: number;
  /** σ at the end of the wanted sketch, in units of ε; 0 when the sketch is everything. */
  readonly edge: number;
}

/** The state of a matrix that was never refreshed: no vectors known. */
export function initialState(epsilon = 1e8): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(STATE_BYTES / 4);
  const f = new Float32Array(out.buffer);
  f[9] = 1;
  f[11] = epsilon;
  return out;
}

/** Parses the state buffer, one record of STATE_BYTES per matrix. */
export function parseStates(bytes: ArrayBuffer, count: number): MatrixStatus[] {
  const u = new Uint32Array(bytes);
  const f = new Float32Array(bytes);
  return Array.from({ length: count }, (_, i) => {
    const at = (i * STATE_BYTES) / 4;
    const flag = u[at + 8] ?? 0;
    const scale = f[at + 9] ?? 1;
    return {
      converged: u[at + 1] === 1,
      sketch: u[at + 2] ?? 0,
      sweeps: u[at + 5] ?? 0,
      refreshes: u[at + 6] ?? 0,
      envelope: u[at + 7] ?? 0,
      clipped: (flag & 1) !== 0,
      coarse: (flag & 2) !== 0,
      unfinished: (flag & 4) !== 0,
      fromNothing: (flag & 8) !== 0,
      scale,
      norm2: (f[at + 10] ?? 0) * scale * scale,
      epsilon: f[at + 11] ?? 0,
      off: f[at + 13] ?? 0,
      residual: f[at + 14] ?? 0,
      eta: f[at + 15] ?? 0,
      edge: f[at + 16] ?? 0,
    };
  });
}
