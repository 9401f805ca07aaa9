import { PARTS, squareFor, tournament } from '../../../kernels/svd/svd';
import {
  MATRIX_BYTES,
  STATE_BYTES,
  initialState,
  layoutMatrices,
  packMatrix,
  parseStates,
  type MatrixEntry,
  type MatrixShape,
  type MatrixStatus,
  type TableLayout,
} from '../../../kernels/svd/table';
import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Program, type Phase } from '../gpu/recorder';
import { keptOf, keptColumns, moveFactors, savedFactors, type SavedView } from './svdFactors';
import { SvdWorkspace, workspaceSize } from './svdWorkspace';
import { MAX_SWEEPS, recordPieces, type Piece, type PieceOptions, type Recorded } from './svdPieces';

export { MAX_SWEEPS };
export type { MatrixShape, MatrixStatus, MatrixEntry };

/** Most sweeps over a triangle; what they leave, the sweeps over A V turn. */
const SQUARE_SWEEPS = 9;
/** Sweeps over A V behind each of which is looked whether another is needed. */
const CHECKED = 2;
/** From the seed of a matrix to that of the next. */
export const SEED_STEP = 0x9e37;
/** The status of successive matrices in several batches, from their state buffers one behind the other. */
export function parseStatusOf(batches: readonly SvdBatch[], bytes: ArrayBuffer): MatrixStatus[] {
  let at = 0;
  return batches.flatMap((svd) => svd.parseStatus(bytes.slice(at, (at += svd.state.size))));
}

/** How the kernels are cut for a device. */
export type SvdTuning = Pick<
  PieceOptions,
  'tile' | 'across' | 'group' | 'wide' | 'triangle' | 'lanes' | 'share' | 'each' | 'square' | 'apart'
>;

// A software adapter runs four invocations at a time, and pays for those of a workgroup that have nothing to do.
// Barriers cost next to nothing within such a subgroup: narrow matrices have all sweeps in one dispatch, as dispatches are dear.
const FOUR = { LANES: 1, PAIRS: 4 };
const SOFTWARE: SvdTuning = {
  lanes: FOUR,
  tile: 8,
  group: 16,
  wide: 4,
  share: 1,
  each: 12,
  apart: { from: 65, lanes: FOUR, triangles: true, groups: 32 },
};

/** For graphics cards: fat dispatches, because each costs what a round of Jacobi does. `columns`: the most of any matrix. */
export function hardwareTuning(columns: number, memory: number, invocations: number): SvdTuning {
  return {
    lanes: { LANES: 8, PAIRS: 12 },
    tile: 4,
    across: 8,
    group: 64,
    wide: Math.min(256, invocations),
    triangle: 5e-4,
    share: 64,
    each: 1,
    square: squareFor(columns, memory, invocations),
    apart: { from: 128, lanes: { LANES: 32, PAIRS: 2 } },
  };
}

/** Subgroups are four invocations, all of them: what tiles of 16 and shared meetings of Jacobi need. */
export const quartets = ({ info, device }: Gpu): boolean =>
  info.subgroups && device.adapterInfo.subgroupMinSize === 4 && device.adapterInfo.subgroupMaxSize === 4;

/** Singular values up to which products have small tiles. */
const NARROW = 64;

export interface SvdBatchOptions {
  readonly label?: string;
  readonly matrices: readonly MatrixShape[];
  /** The arena that holds them all, f32. */
  readonly arena: View;
  /** False: only singular values are wanted, U is neither stored nor computed. */
  readonly vectors?: boolean;
  /** Leave out matrices whose target rank is not below their short side. */
  readonly skipOverRank?: boolean;
  readonly seed?: number;
  readonly workspace?: SvdWorkspace;
  /** Sizes of the sketches at first: U and V are kept as far as these need them, and all of them where it is absent. */
  readonly sketches?: readonly number[];
  /** What differs from the adapter's own choice. */
  readonly tuning?: SvdTuning;
  readonly phase?: Phase;
}

/** When Jacobi stops: see FINE and COARSE in svdPieces.ts. */
export type Tolerance = 'fine' | 'coarse';
/** Whose columns sweeps turn: those of A V, or of a triangle. */
type Swept = 'Fine' | 'Coarse' | 'Exact' | 'Sketch';
const sweptOf = (tolerance: Tolerance): Swept => (tolerance === 'fine' ? 'Fine' : 'Coarse');
type Part = Piece | { readonly piece: Piece; readonly length: number };

/**
 * Singular value decompositions of many matrices at once, W = U Σ Vᵀ, warm-started from their last ones.
 * Exact: one-sided Jacobi on A V; V is the last one, or from cold that of the triangle R of A = Q Rᵀ. Sketch: the leading `sketch` triplets by
 * subspace iteration from the last right subspace (Gaussian at first), then Jacobi on a triangle and on A V. A matrix with fewer rows than
 * columns is decomposed transposed: `readTriplets` undoes it.
 * Owns its buffers and, unless given, its workspace.
 */
export class SvdBatch {
  /** Changes only when more columns are kept. */
  layout: TableLayout;
  /** Per matrix: kernels/svd/common.wgsl State. */
  readonly state: View;
  readonly table: View;
  /** Descending singular values, k per matrix, 0 past the sketch; offsets are `layout.entries[i].s`. */
  readonly sigma: View;
  /** U and V of every matrix as columns: the leading `kept` ones. Another buffer when these become more, in the same view. */
  readonly factors: View;
  /** Squared errors ‖Aᵀu − σv‖² in units of the matrix's scale; scratch during a refresh. */
  readonly columns: View;
  readonly workspace: SvdWorkspace;

  private readonly label: string;
  private readonly vectors: boolean;
  private readonly seed: number;
  private readonly ownsWorkspace: boolean;
  private readonly tuning: SvdTuning;
  private readonly off: View;
  private readonly origin: View;
  private readonly partials: View;
  private readonly ranks: number[];
  private readonly sketches: number[];
  private readonly gains: number[];
  private recorded: Recorded | undefined;
  private readonly composed = new Map<string, Program>();

  /** @throws OutOfMemoryError; Error when a matrix is empty or larger than the arena. */
  constructor(
    private readonly gpu: Gpu,
    private readonly o: SvdBatchOptions,
  ) {
    this.label = o.label ?? 'svd';
    this.vectors = o.vectors ?? true;
    this.seed = o.seed ?? 0;
    const { sketches } = o;
    this.layout = layoutMatrices(o.matrices, this.vectors, sketches && keptOf(o.matrices, sketches));
    const { layout, label } = this;
    for (const e of layout.entries) if ((e.offset + e.rows * e.cols) * 4 > o.arena.size) throw new Error(`${e.name} ends beyond the arena`);
    const make = (name: string, bytes: number) => gpu.buffers.allocate(`${label}.${name}`, bytes);
    const n = layout.entries.length;
    this.ownsWorkspace = !o.workspace;
    this.workspace = o.workspace ?? new SvdWorkspace(gpu, label, workspaceSize([o.matrices], sketches !== undefined));
    this.table = make('table', n * MATRIX_BYTES);
    this.state = make('state', n * STATE_BYTES);
    this.sigma = make('sigma', layout.columns * 4);
    this.factors = make('factors', layout.factors * 16);
    this.columns = make('columns', layout.columns * 4);
    this.origin = make('origin', layout.columns * 4);
    this.off = make('off', n * 4);
    this.partials = make('partials', n * PARTS * 8);
    this.ranks = layout.entries.map((e) => e.k);
    this.sketches = layout.entries.map((e, i) => Math.min(e.k, sketches?.[i] ?? e.k));
    this.gains = layout.entries.map(() => 1);
    const { software, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = gpu.info;
    const chosen = software ? SOFTWARE : hardwareTuning(layout.maxK, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup);
    // Wide tiles gain nothing on narrow matrices, and take a quarter of a second longer to compile.
    const wide = software && quartets(gpu) ? { ...chosen, tile: 16 as const, apart: { ...SOFTWARE.apart!, shared: true } } : chosen;
    this.tuning = o.tuning ?? (layout.maxK <= NARROW ? { ...chosen, tile: 4 } : wide);
    this.writeTable();
    this.reset();
  }

  get count(): number {
    return this.layout.entries.length;
  }

  /** Bytes that a batch will take, with a workspace of its own unless that is shared; `sketches` as in `SvdBatchOptions`. */
  static bytesFor(matrices: readonly MatrixShape[], vectors = true, shared = false, sketches?: readonly number[]): number {
    const { entries, long, short, factors, columns } = layoutMatrices(matrices, vectors, sketches && keptOf(matrices, sketches));
    const each = MATRIX_BYTES + STATE_BYTES + 4 + PARTS * 8;
    return 16 * ((shared ? 0 : 2 * long + 3 * short) + factors) + 12 * columns + each * entries.length;
  }

  /** Bytes on the GPU, a shared workspace not counted. */
  get bytes(): number {
    return this.own.reduce((sum, view) => sum + view.size, 0) + (this.ownsWorkspace ? this.workspace.bytes : 0);
  }

  private get own(): View[] {
    return [this.table, this.state, this.sigma, this.factors, this.columns, this.origin, this.off, this.partials];
  }

  /**
   * Target ranks and sketch sizes (clamped to 1 … k) that hold from the next refresh on, and factors of λ that hold at once. What larger
   * sketches need is allocated here where it was not reserved. @throws OutOfMemoryError
   */
  configure(ranks: readonly number[], sketches: readonly number[], gains?: readonly number[]): void {
    this.layout.entries.forEach((e, i) => {
      this.ranks[i] = ranks[i] ?? e.k;
      this.sketches[i] = Math.min(e.k, Math.max(1, sketches[i] ?? e.k));
      this.gains[i] = gains?.[i] ?? this.gains[i] ?? 1;
    });
    const wanted = this.wanted(this.sketches);
    if (wanted) this.grow(wanted, this.gpu.buffers.allocate(`${this.label}.factors`, this.layoutFor(wanted).factors * 16));
    this.writeTable();
  }

  /** Makes room for sketches of these sizes ahead of `configure`. @throws OutOfMemoryError; everything is as before then */
  async reserve(sketches: readonly number[]): Promise<void> {
    const wanted = this.wanted(sketches);
    if (!wanted) return;
    const bytes = this.layoutFor(wanted).factors * 16;
    this.grow(wanted, await this.gpu.guard('larger sketches', () => this.gpu.buffers.allocate(`${this.label}.factors`, bytes)));
  }

  /** Columns to keep for sketches of these sizes, where there is no room for as many. */
  private wanted(sketches: readonly number[]): number[] | undefined {
    if (!this.o.sketches) return undefined;
    const { entries } = this.layout;
    const all = keptOf(this.o.matrices, sketches).map((columns, i) => Math.max(columns, entries[i]!.kept));
    return all.some((columns, i) => columns > entries[i]!.kept) ? all : undefined;
  }

  private layoutFor(kept?: readonly number[]): TableLayout {
    return layoutMatrices(this.o.matrices, this.vectors, kept);
  }

  private grow(kept: readonly number[], fresh: View): void {
    const before = this.layout;
    this.layout = this.layoutFor(kept);
    moveFactors(this.gpu, this.factors, before, fresh, this.layout);
    this.writeTable();
  }

  /** U and V as a snapshot keeps them: where all columns would lie, whatever there is room for here. */
  get savedFactors(): SavedView {
    return savedFactors(this.factors, this.layoutFor(), () => this.layout);
  }

  /** Forgets all decompositions: no vectors known, ε as at the start of a run. */
  reset(epsilon = 1e8): void {
    if (this.count === 0) return;
    const all = new Uint32Array((this.count * STATE_BYTES) / 4);
    for (let i = 0; i < this.count; i++) all.set(initialState(epsilon), (i * STATE_BYTES) / 4);
    this.gpu.write(this.state, all);
  }

  parseStatus(bytes: ArrayBuffer): MatrixStatus[] {
    return parseStates(bytes, this.count);
  }

  async readStatus(): Promise<MatrixStatus[]> {
    return this.parseStatus(await this.gpu.read(this.state));
  }

  /** Compiles the kernels and records all pieces; `exact` and `sketch` may be called afterwards. */
  async build(): Promise<void> {
    if (this.recorded || this.count === 0) return;
    const { table, state, sigma, factors, columns, off, origin, partials } = this;
    this.recorded = await recordPieces(this.gpu, {
      label: this.label,
      phase: this.o.phase ?? 'q3r',
      layout: this.layout,
      vectors: this.vectors,
      skipOverRank: this.o.skipOverRank ?? false,
      ...this.tuning,
      views: { ...this.workspaceViews, arena: this.o.arena, table, state, sigma, factors, columns, off, origin, partials },
    });
  }

  /** Exact decomposition of all matrices from their last right vectors, from the identity where there are none. */
  exact(sweeps: number, tolerance: Tolerance = 'fine'): Program {
    return this.sequence(`exact ${sweeps} ${tolerance}`, () => [
      'openExact',
      'startExact',
      ...this.sweeps(sweptOf(tolerance), this.layout.maxK, sweeps, tolerance),
      'finishExact',
    ]);
  }

  /** Exact decomposition that uses nothing of the past. */
  coldExact(): Program {
    return this.sequence('cold', () => ['openExact', ...this.fromNothing(CHECKED)]);
  }

  /** Exact decomposition, as cold, of the matrices whose state is live: what a guard left open. */
  redo(): Program {
    return this.sequence('redo', () => this.fromNothing(1));
  }

  /**
   * `apart`: sweeps over A V of which every round is a dispatch. On a graphics card the others are one dispatch: mostly nobody needs them, and
   * a dispatch without work costs there what a round does. On a software adapter it costs little, and one dispatch must not take long.
   */
  private fromNothing(apart: number): Part[] {
    const { maxK } = this.layout;
    const fine = (sweeps: number) => this.sweeps('Fine', maxK, sweeps, 'fine');
    return [
      'factorExact',
      ...this.sweeps('Exact', maxK, SQUARE_SWEEPS, 'coarse'),
      'settleExact',
      'anew',
      ...(this.divides('Fine', maxK) && !this.tuning.apart?.triangles ? [...fine(apart), 'sweepsFine' as const] : fine(MAX_SWEEPS)),
      'finishExact',
    ];
  }

  /** Leading triplets by `powers` subspace iterations and Jacobi, and their residuals; sketch sizes as configured. */
  sketch(powers: number, sweeps: number, tolerance: Tolerance = 'coarse'): Program {
    const widest = Math.max(...this.sketches);
    const parts = (): Part[] => [
      'openSketch',
      'startSketch',
      ...Array.from({ length: powers }, (): Piece => 'iterate'),
      'factorSketch',
      ...this.sweeps('Sketch', widest, Math.min(SQUARE_SWEEPS, sweeps), 'coarse'),
      'settleSketch',
      'again',
      ...(tolerance === 'coarse' && this.divides('Coarse', widest) ? ['checkCoarse' as const] : []),
      ...this.sweeps(sweptOf(tolerance), widest, sweeps, tolerance),
      'finishSketch',
    ];
    return this.sequence(`sketch ${powers} ${sweeps} ${widest} ${tolerance}`, parts, widest);
  }

  /**
   * Sweeps to allow next time, given the status of the last refresh: what was needed and two more. A decomposition from nothing does most of
   * its work on a triangle before it counts: what it needed says nothing of an exact one from its vectors, only of a sketch, which has a
   * triangle, too.
   */
  static nextSweeps(status: readonly MatrixStatus[] | undefined, next: 'exact' | 'sketch' = 'exact'): number {
    if (!status || status.some((s) => !s.converged || (next === 'exact' && s.fromNothing))) return MAX_SWEEPS;
    return Math.min(MAX_SWEEPS, Math.max(3, 2 + Math.max(...status.map((s) => s.sweeps))));
  }

  /** Reads one matrix's triplets back, of those that are kept: u (rows × count), s, v (cols × count), row-major. */
  async readTriplets(index: number, count: number): Promise<{ u: Float32Array; s: Float32Array; v: Float32Array }> {
    const e = this.layout.entries[index];
    if (!e || !this.vectors) throw new Error(`${this.label} keeps no vectors of a matrix ${index}`);
    const [factors, sigma] = await Promise.all([
      this.gpu.readFloats(slice(this.factors, e.uAt * 4, (e.pv + e.kv) * e.kept * 4)),
      this.gpu.readFloats(slice(this.sigma, e.s, e.k)),
    ]);
    const rowMajor = (at: number, height: number, length: number) => {
      const out = new Float32Array(length * count);
      for (let c = 0; c < count; c++) for (let i = 0; i < length; i++) out[i * count + c] = factors[at + c * height * 4 + i] ?? 0;
      return out;
    };
    const long = rowMajor(0, e.pv, e.p);
    const short = rowMajor((e.vAt - e.uAt) * 4, e.kv, e.k);
    const s = sigma.slice(0, count);
    return e.transposed ? { u: short, s, v: long } : { u: long, s, v: short };
  }

  dispose(): void {
    this.recorded?.program.dispose();
    this.recorded = undefined;
    this.composed.clear();
    for (const view of this.own) this.gpu.buffers.free(view);
    if (this.ownsWorkspace) this.workspace.dispose();
  }

  /** Every round is a dispatch. */
  private divides(what: Swept, widest: number): boolean {
    const { apart } = this.tuning;
    return !!apart && widest >= apart.from && (!!apart.triangles || what === 'Fine' || what === 'Coarse');
  }

  private sweeps(what: Swept, widest: number, sweeps: number, tolerance: Tolerance): Part[] {
    const { square, apart } = this.tuning;
    if (!this.divides(what, widest)) return [what === 'Sketch' && square && widest <= square.side ? 'square' : `sweeps${what}`];
    const rounds = tournament(widest).rounds + (apart?.shared ? 2 : 0);
    // Behind what a triangle left, one sweep is mostly enough.
    const after = (sweep: number): Part[] => (what === 'Fine' && sweep < CHECKED ? ['checkFine'] : []);
    return Array.from({ length: sweeps }, (_, i): Part[] => [{ piece: `rounds${what}`, length: rounds }, tolerance, ...after(i)]).flat();
  }

  /** `columns`: the most that any matrix has at work. */
  private sequence(key: string, parts: () => Part[], columns?: number): Program {
    const { recorded } = this;
    if (!recorded) throw new Error(`${this.label} is not built`);
    let program = this.composed.get(key);
    if (!program) {
      program = Program.sequence(
        this.gpu,
        `${this.label} ${key}`,
        parts().map((part) => {
          const piece = typeof part === 'string' ? part : part.piece;
          const [from, to] = recorded.ranges.get(piece) ?? [0, 0];
          const grid = columns === undefined ? undefined : (index: number) => recorded.gridFor(index, columns);
          return { program: recorded.program, from, to: typeof part === 'string' ? to : from + part.length, ...(grid && { grid }) };
        }),
      );
      this.composed.set(key, program);
    }
    return program;
  }

  /** Whole U and V lie in the workspace where they are not kept. */
  private get workspaceViews() {
    const { a, y, v, gram, inverse, u, f } = this.workspace;
    return { a, y, v, gram, inverse, ...(this.o.sketches && u && f ? { u, f } : {}) };
  }

  private writeTable(): void {
    const all = new Uint32Array((this.count * MATRIX_BYTES) / 4);
    this.layout.entries.forEach((e, i) => {
      const sketch = this.sketches[i] ?? e.k;
      // By the sketch, not by the room there happens to be: what is known after an exact decomposition must not depend on that.
      const kept = this.o.sketches ? Math.min(e.kept, keptColumns(e.k, sketch)) : e.k;
      all.set(packMatrix(e, this.ranks[i] ?? e.k, sketch, this.seed + i * SEED_STEP, this.gains[i], kept), (i * MATRIX_BYTES) / 4);
    });
    if (this.count > 0) this.gpu.write(this.table, all);
  }
}
