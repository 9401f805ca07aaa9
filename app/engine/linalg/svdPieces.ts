import { ceilDiv, type Grid, type KernelSpec } from '../../../kernels/spec';
import * as k from '../../../kernels/svd/svd';
import type { MatrixEntry, TableLayout } from '../../../kernels/svd/table';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder, type Phase, type Program } from '../gpu/recorder';

/**
 * A Jacobi sweep that met no larger |cos| is the last one. What it leaves is about the square of that: with the fine
 * tolerance rounding alone remains, with the coarse one about 1e-5, far below the error of the randomized subspace.
 */
export const FINE = 2e-5;
export const COARSE = 2e-3;
/** Most Jacobi sweeps over A V of one refresh: 2 or 3 behind those over a triangle, 9 from V = I, where that start came out bad. */
export const MAX_SWEEPS = 12;
/**
 * Columns whose |cos| do not exceed it are not turned. Fine: what rounding of dot products of some hundred terms reaches. Coarse: what
 * the coarse tolerance leaves anyway.
 */
const IDLE = { fine: 2e-7, coarse: 1e-5 };
/**
 * Columns of A V of which no two have a larger |cos| are not swept at all. Coarse: the triangle was turned until this was left, about
 * 1e-5, and rounding; that much in the directions of a pair is a thirtieth of what ETA_LIMIT allows the sketch.
 */
const DONE = { fine: 2 * IDLE.fine, coarse: 1e-4 };

/** The parts a decomposition is put together from; each is a range of one recorded program. */
export type Piece =
  | 'openSketch'
  | 'openExact'
  | 'startSketch'
  | 'startExact'
  | 'factorExact'
  | 'settleExact'
  | 'iterate'
  | 'factorSketch'
  | 'settleSketch'
  | 'roundsFine'
  | 'roundsCoarse'
  | 'roundsExact'
  | 'roundsSketch'
  | 'sweepsFine'
  | 'sweepsCoarse'
  | 'sweepsExact'
  | 'sweepsSketch'
  | 'square'
  | 'again'
  | 'checkFine'
  | 'checkCoarse'
  | 'anew'
  | 'fine'
  | 'coarse'
  | 'finishExact'
  | 'finishSketch';

export interface Recorded {
  readonly program: Program;
  /** Dispatches [from, to) of each piece. `rounds…` hold one sweep over k columns; a narrower sketch runs a prefix of it. */
  readonly ranges: ReadonlyMap<Piece, readonly [number, number]>;
  /** Workgroups of dispatch i when no matrix has more than so many columns at work; undefined where their number makes no difference. */
  gridFor(index: number, columns: number): Grid | undefined;
}

export interface PieceOptions {
  readonly label: string;
  readonly phase: Phase;
  readonly layout: TableLayout;
  readonly vectors: boolean;
  readonly skipOverRank: boolean;
  /** Size of the tiles of products. */
  readonly tile: k.Tile;
  /** Invocations that share a tile of an inner product, of 4 × 4 then; one has it to itself when absent. */
  readonly across?: number;
  /** Invocations of a product's workgroups, */
  readonly group: number;
  /** and of the one workgroup that a Cholesky factorization has. */
  readonly wide: number;
  /** Invocations that share eight Jacobi columns, and eights per workgroup. */
  readonly lanes: { readonly LANES: number; readonly PAIRS: number };
  /** Present: a square of no more columns than this is swept in a workgroup's memory. */
  readonly square?: k.Square;
  /**
   * Present: over A V of at least `from` columns every round is a dispatch, cut like this. So long a round fills the card with many
   * workgroups to a matrix, which one workgroup cannot. `triangles`: over a triangle, too, where a dispatch must not take long.
   * `groups`: about so many workgroups to a round over all matrices, where more are only dear.
   */
  readonly apart?: {
    readonly from: number;
    readonly lanes: { readonly LANES: number; readonly PAIRS: number };
    readonly triangles?: boolean;
    readonly groups?: number;
    /** Four lanes of a subgroup share eight columns. */
    readonly shared?: boolean;
  };
  /** The tolerance of sweeps over the triangle of a sketch, COARSE when absent: less where one costs little beside one over A V. */
  readonly triangle?: number;
  /** Invocations that share one of PARTS of a matrix. */
  readonly share: number;
  /** Vec4s of a column that an invocation has to itself where they are but moved: reading what is known of a matrix costs as much as eight. */
  readonly each: number;
  readonly views: Readonly<
    Record<
      'arena' | 'table' | 'state' | 'sigma' | 'factors' | 'columns' | 'off' | 'origin' | 'partials' | 'a' | 'y' | 'v' | 'gram' | 'inverse',
      View
    > &
      // In the place of `factors` where that has no room for all columns of an exact decomposition.
      Partial<Record<'u' | 'f', View>>
  >;
}

/** A buffer and which of its column ranges is meant. */
type Columns = readonly [View, number];

/** Records every piece once; decompositions are sequences of them, so that their number costs no GPU memory. */
export async function recordPieces(gpu: Gpu, o: PieceOptions): Promise<Recorded> {
  const { layout, views } = o;
  const { table, state, sigma, factors, columns, off, origin, partials, arena, a, y, v, gram, inverse } = views;
  const es = layout.entries;
  const count = es.length;
  const r = new Recorder(gpu, o.label).setPhase(o.phase);
  const ranges = new Map<Piece, readonly [number, number]>();
  const mark = (piece: Piece, record: () => void) => {
    const from = r.length;
    record();
    ranges.set(piece, [from, r.length]);
  };
  const threads = (f: (e: MatrixEntry) => number, group = 64): Grid => k.perMatrix(Math.max(...es.map(f)), count, group);
  const grids = new Map<number, (columns: number) => Grid>();
  /** Grid of the next dispatch: `f` counts threads for so many columns of a matrix, which are all of them unless a sketch says less. */
  const columnwise = (f: (e: MatrixEntry, columns: number) => number, group = 64): Grid => {
    const grid = (columns: number) => threads((e) => f(e, Math.min(e.k, columns)), group);
    grids.set(r.length, grid);
    return grid(layout.maxK);
  };
  const work = (f: (e: MatrixEntry) => number) => es.reduce((sum, e) => sum + f(e), 0);
  const run = (spec: KernelSpec, buffers: View[], grid: Grid, params: Record<string, number> = {}, constants?: Record<string, number>) =>
    r.dispatch(spec, { buffers, grid, params, constants });
  const each = { EACH: o.each };
  const runs = (length: number) => ceilDiv(length, o.each);

  const isLong = (kind: number) => kind === k.LONG || kind === k.LEFT;
  const spanOf = (kind: number) => (isLong(kind) ? k.LONG : k.SHORT);
  const lengths = [(e: MatrixEntry) => e.pv, (e: MatrixEntry) => e.kv, (_: MatrixEntry, n: number) => ceilDiv(n, 4)] as const;
  const { across, triangle = COARSE } = o;
  const shared = k.isShared(o.tile);
  const constants = { WG: o.group };
  const tiled = (f: (e: MatrixEntry, n: number) => number) => columnwise(f, shared ? o.group / 4 : o.group);
  const combine = (x: Columns, f: Columns, out: Columns, inner: number, { iterate = 0, revive = 0, span = spanOf(x[1]) } = {}) => {
    const length = lengths[span]!;
    const grid = (e: MatrixEntry, n: number) => ceilDiv(length(e, n), shared ? 8 : 2) * ceilDiv(n, k.combined(o.tile));
    r.dispatch(k.combine(o.tile), {
      buffers: [table, state, x[0], f[0], out[0]],
      grid: tiled(grid),
      params: { a: x[1], b: f[1], c: out[1], inner, iterate, revive, span },
      constants,
      work: work((e) => 8 * length(e, e.k) * e.k * e.k),
    });
  };
  const inner = (x: Columns, z: Columns, out: Columns, all: number, { iterate = 0, span = spanOf(x[1]) } = {}) => {
    const same = x === z ? 1 : 0;
    const length = lengths[span]!;
    const size = across ? 4 : o.tile;
    const tiles = (e: MatrixEntry, n: number) => (same ? k.triangle(n, size) : ceilDiv(e.k, size) * ceilDiv(n, size));
    r.dispatch(across ? k.innerAcross : k.inner(o.tile), {
      buffers: [table, state, x[0], z[0], out[0]],
      grid: across ? columnwise((e, n) => across * tiles(e, n), o.group) : tiled(tiles),
      params: { a: x[1], b: z[1], c: out[1], all, iterate, same, span },
      constants: across ? { ...constants, LANES: across } : constants,
      work: work((e) => (same ? 4 : 8) * length(e, e.k) * e.k * e.k),
    });
  };
  const cubes = work((e) => e.k ** 3);
  const cholesky = (out: Columns, { from = G, factor = 0, iterate = 0, drop = 0 }) =>
    r.dispatch(k.cholesky, {
      buffers: [table, state, from[0], out[0], columns],
      grid: [count, 1, 1],
      params: { iterate, factor, out: out[1], drop },
      constants: { WG: o.wide },
      work: cubes,
    });
  /** One pass of column-scaled Cholesky QR: out = x T has orthonormal columns. `drop`: where some depend on others, zeros for these. */
  const orthonormalise = (x: Columns, out: Columns, { iterate = 0, drop = 0 } = {}) => {
    inner(x, x, G, 0, { iterate });
    cholesky(T, { iterate, drop });
    combine(x, T, out, k.INNER_TRIANGULAR, { iterate, revive: 1 - drop });
  };

  const A: Columns = [a, k.LONG];
  const Y: Columns = [y, k.LONG];
  const V: Columns = [v, k.SHORT];
  const U: Columns = [factors, k.LEFT];
  const F: Columns = [factors, k.RIGHT];
  const wholeU: Columns = views.u ? [views.u, k.LONG] : U;
  const wholeF: Columns = views.f ? [views.f, k.SHORT] : F;
  const G: Columns = [gram, k.SHORT];
  const T: Columns = [inverse, k.SHORT];
  const once: Grid = [ceilDiv(count, 64), 1, 1];
  const longs = threads((e) => e.pv * e.k);
  const shorts = threads((e) => e.kv * e.k);
  const perColumn = threads((e) => e.k);

  const opened: [Piece, number][] = [
    ['openSketch', 0],
    ['openExact', 1],
  ];
  for (const [piece, exact] of opened)
    mark(piece, () => {
      r.dispatch(k.measure, { buffers: [table, arena, partials], grid: [o.share, count, 1], constants: { SHARE: o.share } });
      run(k.begin, [table, partials, state, off], once, { count, exact, skip: o.skipOverRank ? 1 : 0 });
      run(
        k.load,
        [table, state, arena, a],
        threads((e) => runs(e.pv) * e.k),
        {},
        each,
      );
    });
  mark('startExact', () => {
    run(
      k.start,
      [table, state, factors],
      threads((e) => runs(e.kv) * e.k),
      { mode: k.START_EXACT },
      each,
    );
    // The rotations of many refreshes would let V drift from orthonormal; one Newton-Schulz step a refresh prevents it.
    inner(F, F, G, 0);
    run(k.polish, [table, state, gram, inverse], shorts);
    combine(F, T, V, k.INNER_SKETCH);
    combine(A, V, Y, k.INNER_ALL);
  });
  const advance = (tolerance: number, { again = 0, nothing = 0, checked = 0 }) =>
    run(k.advance, [state, off], once, { count, tolerance, again, nothing, checked });
  const verdict = (piece: Piece, tolerance: number, again = 0, nothing = 0) => mark(piece, () => advance(tolerance, { again, nothing }));
  const turning = (x: Columns) => work((e) => e.k * (x === Y ? 12 * e.p + 8 * e.k : 12 * e.k));
  /** Jacobi on columns x, a piece for a sweep or for all sweeps. `turned`: what is turned along, scratch where that is nothing. */
  const jacobi = (name: 'Fine' | 'Coarse' | 'Exact' | 'Sketch', x: Columns, turned: View, idle: number, tolerance: number) => {
    const { apart } = o;
    const { rounds } = k.tournament(layout.maxK);
    const wide = apart !== undefined && layout.maxK >= apart.from;
    // Without vectors there are no sketches, which may be narrow where the matrix is not.
    if (o.vectors || !wide)
      mark(`sweeps${name}`, () => {
        if (x === Y) inner(Y, Y, G, 0);
        r.dispatch(apart?.shared ? k.sweepsLanes : k.sweeps, {
          buffers: [table, gram, state, x[0], x === Y ? v : inverse],
          grid: [count, 1, 1],
          params: { kind: x[1], sweeps: MAX_SWEEPS, idle, tolerance, check: x === Y ? DONE[tolerance === FINE ? 'fine' : 'coarse'] : 0 },
          constants: apart?.shared ? {} : o.lanes,
          work: 3 * turning(x),
        });
      });
    if (!wide || (x !== Y && !apart.triangles)) return;
    const { lanes, groups = Infinity, shared = false } = apart;
    const most = ceilDiv(groups, count);
    mark(`rounds${name}`, () => {
      const grid = (n: number): Grid => [
        Math.min(most, ceilDiv(k.tournament(Math.min(n, layout.maxK)).meetings, shared ? 1 : lanes.PAIRS)),
        count,
        1,
      ];
      for (let round = 0; round < rounds + (shared ? 2 : 0); round++) {
        grids.set(r.length, grid);
        r.dispatch(shared ? k.jacobiLanes : k.jacobi, {
          buffers: [table, state, x[0], turned, off],
          grid: grid(layout.maxK),
          params: { round, kind: x[1], idle },
          constants: shared ? {} : lanes,
          work: turning(x) / 2,
        });
      }
    });
  };
  if (o.vectors) {
    // Drmac and Veselic: Jacobi on the triangle of A = Q R^T is cheap, needs nothing turned along, and leaves R J = V Sigma: V.
    // R as A^T Q, not as the factor of A^T A, in which small directions drown; the second pass keeps those under 1e-2 sigma_1.
    mark('factorExact', () => {
      orthonormalise(A, Y);
      orthonormalise(Y, wholeU);
      inner(A, wholeU, V, 1);
    });
    jacobi('Exact', V, gram, IDLE.coarse, COARSE);
    mark('settleExact', () => {
      // Two passes: the second makes up for columns of R that are zero or came out of noise.
      orthonormalise(V, wholeF);
      orthonormalise(wholeF, V);
      inner(V, V, G, 0);
      run(k.verify, [table, state, gram, off], perColumn);
      combine(A, V, Y, k.INNER_ALL);
      run(k.cold, [table, state, off, a, y, v], longs);
    });
    mark('startSketch', () =>
      run(
        k.start,
        [table, state, factors],
        columnwise((e, n) => runs(e.kv) * n),
        { mode: k.START_SKETCH },
        each,
      ),
    );
    mark('iterate', () => {
      combine(A, F, Y, k.INNER_ALL, { iterate: 1 });
      orthonormalise(Y, U, { iterate: 1 });
      inner(A, U, V, 1, { iterate: 1 });
      orthonormalise(V, F, { iterate: 1 });
    });
    mark('factorSketch', () => {
      // The second pass: what the pass of `iterate` left of a bad condition number is gone after it.
      // Columns that depend even so are those of a matrix of lower rank.
      orthonormalise(F, G, { drop: 1 });
      combine(A, G, U, k.INNER_ALL);
      inner(U, U, T, 0);
      cholesky(V, { from: T, factor: 1 });
    });
    jacobi('Sketch', V, inverse, IDLE.coarse, triangle);
    const { square } = o;
    if (square)
      mark('square', () => {
        r.dispatch(k.square(square), {
          buffers: [table, state, v],
          grid: [count, 1, 1],
          params: { kind: k.SHORT, sweeps: MAX_SWEEPS, tolerance: triangle },
          work: 3 * turning(V),
        });
      });
    mark('settleSketch', () => {
      // Columns of L J are the right vectors of A V times its singular values: orthonormal, they turn V and A V alike. Jacobi left them
      // orthogonal: one pass makes them orthonormal, and of a zero column a zero vector, which nobody takes for a known one.
      const small = { span: k.SQUARE };
      inner(V, V, T, 0, small);
      cholesky(F, { from: T });
      combine(V, F, T, k.INNER_TRIANGULAR, small);
      combine(G, T, V, k.INNER_SKETCH);
      combine(U, T, Y, k.INNER_SKETCH);
    });
  }
  jacobi('Fine', Y, v, IDLE.fine, FINE);
  jacobi('Coarse', Y, v, IDLE.coarse, COARSE);
  verdict('fine', FINE);
  // A sweep that finds nothing to turn costs as much as one that does: the Gram matrix tells for a tenth of that.
  for (const [piece, done] of [
    ['checkFine', DONE.fine],
    ['checkCoarse', DONE.coarse],
  ] as const)
    mark(piece, () => {
      inner(Y, Y, G, 0);
      run(k.parallel, [table, state, gram, off], perColumn);
      advance(done, { checked: 1 });
    });
  verdict('coarse', COARSE);
  verdict('again', 0, 1);
  verdict('anew', 0, 1, 1);
  const finish = (exact: number) => {
    run(k.norms, [table, state, y, columns], perColumn);
    run(k.order, [table, state, columns, sigma, origin], perColumn, { exact });
    run(
      k.place,
      [table, state, columns, origin, y, v, factors],
      columnwise((e, n) => runs(e.pv) * n),
      { left: o.vectors ? 1 : 0 },
      each,
    );
  };
  mark('finishExact', () => finish(1));
  if (o.vectors)
    mark('finishSketch', () => {
      finish(0);
      inner(A, U, G, 1);
      run(k.residual, [table, state, gram, factors, sigma, columns], perColumn);
    });
  return { program: await r.build(), ranges, gridFor: (index, columns) => grids.get(index)?.(columns) };
}
