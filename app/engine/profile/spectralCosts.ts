import { INNER_ALL, INNER_TRIANGULAR, LEFT, LONG, SQUARE, tournament } from '../../../kernels/svd/svd';
import { MATRIX_BYTES } from '../../../kernels/svd/table';
import type { DispatchInfo } from '../gpu/recorder';
import type { Cost } from './costs';

/** A regularized matrix, and how its last refresh went: what the kernels read from the GPU, and no dispatch shows. */
export interface SpectralMatrix {
  readonly rows: number;
  readonly cols: number;
  /** Columns at work in the first decomposition of a refresh. */
  readonly sketch: number;
  /** Columns at the end: more than `sketch` where it was done again exactly. */
  readonly columns: number;
  /** Number of σ > ε: the rank of the operator. */
  readonly envelope: number;
  /** Jacobi sweeps that it took. */
  readonly sweeps: number;
}

export type Spectral = readonly SpectralMatrix[];

/** Where a walk through the dispatches of a refresh, or of the operator, stands. */
export interface Progress {
  sweep: number;
  pass: number;
  /** Which of the matrices are at work: they may come in groups, one after the other. */
  first: number;
  count: number;
}

/** A matrix with the columns at work: A is p × k, ell of its columns are. */
interface Sides {
  readonly p: number;
  readonly k: number;
  readonly ell: number;
  /** Sweeps over A V. */
  readonly sweeps: number;
}

type Work = readonly [flops: number, words: number];
const long = (kind: number | undefined): boolean => kind === LONG || kind === LEFT;
/** Entries of a column that a product takes: of A's side as its range has it, or its first ell. */
const span = ({ p, k, ell }: Sides, o: Readonly<Record<string, number>>): number => (o.span === SQUARE ? ell : long(o.span ?? o.a) ? p : k);

// Meetings of eight say which range they turn: 36 inner products; 64 multiply-adds and 8 sums; a short range has nothing turned along.
const round = ({ p, k, ell }: Sides, kind: number | undefined): Work => {
  const along = long(kind) ? k : 0;
  const height = long(kind) ? p : ell;
  return [(ell / 8) * (208 * height + 136 * along), 2 * ell * (height + along)];
};

/** Per matrix that is at work: operations and 4-byte words. */
const SVD: Readonly<Record<string, (m: Sides, p: Readonly<Record<string, number>>) => Work>> = {
  // Magnitude, its maximum, square and sum.
  measure: ({ p, k }) => [4 * p * k, p * k],
  begin: () => [0, 0],
  load: ({ p, k }) => [p * k, 2 * p * k],
  start: ({ k, ell }) => [0, k * ell],
  verify: ({ ell }) => [2 * ell * ell, ell * ell + ell],
  parallel: ({ ell }) => [2 * ell * ell, ell * ell + ell],
  cold: () => [0, 0],
  combine: (m, o) => {
    const { k, ell } = m;
    const { inner } = o;
    const height = span(m, o);
    const length = inner === INNER_ALL ? k : inner === INNER_TRIANGULAR ? (ell + 1) / 2 : ell;
    const left = inner === INNER_ALL ? k : ell;
    return [2 * height * ell * length, height * left + length * ell + height * ell];
  },
  inner: (m, o) => {
    const { k, ell } = m;
    const { a, b, all, same } = o;
    const height = span(m, o);
    const rows = all === 1 ? k : ell;
    // A symmetric product of which one triangle is computed.
    if (same === 1) return [height * ell * (ell + 1), height * ell + ell * ell];
    return [2 * height * rows * ell, height * rows + (a === b ? 0 : height * ell) + rows * ell];
  },
  // Elimination with the inverse of the triangle in place: ell columns for each of ell (ell - 1) / 2 rows, two operations each.
  cholesky: ({ ell }) => [ell * ell * (ell - 1), 2 * ell * ell],
  polish: ({ ell }) => [2 * ell * ell, 2 * ell * ell],
  // A four of columns: 10 inner products of 2 p; X + X D, 16 multiply-adds and 4 sums, on both sides.
  jacobi: (m, { kind }) => {
    const { p, k, ell } = m;
    return kind === undefined ? [(ell / 4) * (56 * p + 36 * k), 2 * ell * (p + k)] : round(m, kind);
  },
  // All rounds of all sweeps. Of a triangle nobody knows how many: all, at most.
  sweeps: (m, { kind, sweeps = 0 }) => {
    const rounds = (long(kind) ? m.sweeps : sweeps) * tournament(m.ell).rounds;
    const [flops, words] = round(m, kind);
    return [rounds * flops, rounds * words];
  },
  // Every pair of columns: 3 inner products, 2 products and 2 sums for either; from memory and back once.
  square: ({ ell }, { sweeps = 0 }) => [sweeps * 7 * ell * ell * (ell - 1), 2 * ell * ell],
  advance: () => [1, 2],
  norms: ({ p, ell }) => [2 * p * ell, p * ell + ell],
  order: ({ ell }) => [ell * ell, 3 * ell],
  place: ({ p, k, ell }) => [p * ell, 2 * ell * (p + k)],
  residual: ({ k, ell }) => [4 * k * ell, 2 * k * ell + 2 * ell],
};

/** Per matrix: rows × cols with an operator of rank r. `adds`: the result is added to what is there. */
const Q3R: Readonly<Record<string, (rows: number, cols: number, r: number, adds: boolean) => Work>> = {
  project: (m, n, r) => [2 * m * n * r + m * r, m * n + n * r + m * r],
  spread: (m, n, r) => [2 * m * n * r, m * r + n * r + 2 * m * n],
  projectTiled: (m, n, r) => [2 * m * n * r + m * r, m * n + n * r + m * r],
  gather: (m, n, r) => [2 * m * n * r + n * r, m * r + m * n + n * r],
  gatherTiled: (m, n, r) => [2 * m * n * r + n * r, m * r + m * n + n * r],
  // The product, 2λ, and ⟨X, R⟩.
  apply: (m, n, r, adds) => [2 * m * n * r + (3 + (adds ? 1 : 0)) * m * n, m * r + n * r + (3 + (adds ? 1 : 0)) * m * n],
};

const sides = ({ rows, cols, sketch, columns, sweeps }: SpectralMatrix, again: boolean): Sides => ({
  p: Math.max(rows, cols),
  k: Math.min(rows, cols),
  ell: again ? columns : sketch,
  sweeps,
});

/** Of a dispatch over the regularized matrices; undefined for any other. Moves `at` along the refresh. */
export function spectralCost(d: DispatchInfo, all: Spectral, at: Progress): Cost | undefined {
  // A kernel that comes in several sizes of tile has them behind its name.
  const [, family, name = ''] = /^(svd|q3r)\/([a-zA-Z]+)/.exec(d.kernel) ?? [];
  const table = d.operands.find((o) => o.name === 'table');
  // What a group begins with, in a refresh and in the operator.
  if (table && (name === 'measure' || name.startsWith('project'))) {
    at.first = (at.first + at.count) % all.length;
    at.count = Math.floor(table.bytes / MATRIX_BYTES);
    Object.assign(at, { sweep: 0, pass: 0 });
  }
  const matrices = at.count > 0 ? all.slice(at.first, at.first + at.count) : all;
  if (family === 'q3r') {
    const formula = Q3R[name];
    // What a judgement leaves open is decomposed anew, without being loaded again.
    if (name === 'update') Object.assign(at, { pass: at.pass + 1, sweep: 0 });
    // Epsilon, envelope, values: a few operations a column and a matrix.
    if (!formula) return sum(matrices.map(({ sketch }) => (name === 'update' ? [20 * sketch, 3 * sketch] : [1, 2])));
    return sum(matrices.map(({ rows, cols, envelope }) => formula(rows, cols, envelope, d.params.add === 1)));
  }
  const formula = family === 'svd' ? SVD[name] : undefined;
  if (!formula) return undefined;
  const again = at.pass > 0;
  // How many sweeps a triangle took is not known: all of them, at most.
  const swept = (name === 'jacobi' && (d.params.kind === undefined || long(d.params.kind))) || name === 'advance';
  const live = matrices.filter((m) => (!again || m.columns > m.sketch) && (!swept || again || m.columns > m.sketch || at.sweep < m.sweeps));
  if (name === 'advance') at.sweep = d.params.again === 1 ? 0 : at.sweep + (d.params.checked === 1 ? 0 : 1);
  return sum(live.map((m) => formula(sides(m, again), d.params)));
}

function sum(all: readonly Work[]): Cost {
  const [flops, words] = all.reduce(([f, w], [flops, more]): Work => [f + flops, w + more], [0, 0]);
  return { flops, bytes: 4 * words, counted: true };
}
