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
import { MAX_SWEEPS, recordPieces, type Piece, type PieceOptions, type Recorded } from './svdPieces';

export { MAX_SWEEPS };
export type { MatrixShape, MatrixStatus, MatrixEntry };

/** Most sweeps over a triangle; what they leave, the sweeps over A V turn. */
const SQUARE_SWEEPS = 9;
/** Sweeps over A V behind each of which is looked whether another is needed. */
const CHECKED = 2;
/** Buffers of a workspace with their elements of 4 bytes. */
export type WorkspaceItems = readonly { readonly name: string; readonly elements: number }[];

const workspaceItems = (long: number, short: number): WorkspaceItems => [
  { name: 'A', elements: 4 * long },
  { name: 'Y', elements: 4 * long },
  { name: 'V', elements: 4 * short },
  { name: 'gram', elements: 4 * short },
  { name: 'inverse', elements: 4 * short },
];

/**
 * Work that several batches may share, because their programs never run at the same time; nothing of it is kept from one program to the
 * next. It may lie in memory of somebody else who rests meanwhile.
 */
export class SvdWorkspace {
  readonly a: View;
  readonly y: View;
  readonly v: View;
  readonly gram: View;
  readonly inverse: View;
  /** What is not lent. */
  private readonly own: View[] = [];

  constructor(
    private readonly gpu: Gpu,
    label: string,
    readonly long: number,
    readonly short: number,
    lend?: (items: WorkspaceItems) => ReadonlyMap<string, View>,
  ) {
    const items = workspaceItems(long, short);
    const lent = lend?.(items);
    const make = ({ name, elements }: WorkspaceItems[number]): View => {
      const view = lent?.get(name) ?? gpu.buffers.allocate(`${label}.${name}`, 4 * elements);
      if (!lent?.has(name)) this.own.push(view);
      return view;
    };
    [this.a, this.y, this.v, this.gram, this.inverse] = items.map(make) as [View, View, View, View, View];
  }

  /**
   * Workspace that is large enough for all the given lists of matrices.
   * @param lend views for some of its buffers, each in a GPU buffer of its own: kernels bind one to read and another to write
   */
  static forAll(
    gpu: Gpu,
    label: string,
    lists: readonly (readonly MatrixShape[])[],
    lend?: (items: WorkspaceItems) => ReadonlyMap<string, View>,
  ): SvdWorkspace {
    const { long, short } = SvdWorkspace.sizes(lists);
    return new SvdWorkspace(gpu, label, long, short, lend);
  }

  /** The buffers of `forAll`. */
  static itemsFor(lists: readonly (readonly MatrixShape[])[]): WorkspaceItems {
    const { long, short } = SvdWorkspace.sizes(lists);
    return workspaceItems(long, short);
  }

  private static sizes(lists: readonly (readonly MatrixShape[])[]): { long: number; short: number } {
    const sizes = lists.map((list) => layoutMatrices(list));
    return { long: Math.max(1, ...sizes.map((s) => s.long)), short: Math.max(1, ...sizes.map((s) => s.short)) };
  }

  /** Bytes of its own. */
  get bytes(): number {
    return this.own.reduce((sum, view) => sum + view.size, 0);
  }

  dispose(): void {
    for (const view of this.own) this.gpu.buffers.free(view);
  }
}

/** How the kernels are cut for a device. */
export type SvdTuning = Pick<PieceOptions, 'tile' | 'group' | 'wide' | 'lanes' | 'share' | 'each' | 'square' | 'apart'>;

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
    group: 64,
    wide: Math.min(256, invocations),
    share: 64,
    each: 1,
    square: squareFor(columns, memory, invocations),
    apart: { from: 128, lanes: { LANES: 32, PAIRS: 2 } },
  };
}

/** Subgroups are four invocations, all of them. */
const quartets = ({ info, device }: Gpu): boolean =>
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
  readonly layout: TableLayout;
  /** Per matrix: kernels/svd/common.wgsl State. */
  readonly state: View;
  readonly table: View;
  /** Descending singular values, k per matrix, 0 past the sketch; offsets are `layout.entries[i].s`. */
  readonly sigma: View;
  /** U and V of every matrix as columns. */
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
    this.layout = layoutMatrices(o.matrices, this.vectors);
    const { layout, label } = this;
    for (const e of layout.entries) if ((e.offset + e.rows * e.cols) * 4 > o.arena.size) throw new Error(`${e.name} ends beyond the arena`);
    const make = (name: string, bytes: number) => gpu.buffers.allocate(`${label}.${name}`, bytes);
    const n = layout.entries.length;
    this.ownsWorkspace = !o.workspace;
    this.workspace = o.workspace ?? new SvdWorkspace(gpu, label, Math.max(1, layout.long), Math.max(1, layout.short));
    this.table = make('table', n * MATRIX_BYTES);
    this.state = make('state', n * STATE_BYTES);
    this.sigma = make('sigma', layout.columns * 4);
    this.factors = make('factors', layout.factors * 16);
    this.columns = make('columns', layout.columns * 4);
    this.origin = make('origin', layout.columns * 4);
    this.off = make('off', n * 4);
    this.partials = make('partials', n * PARTS * 8);
    this.ranks = layout.entries.map((e) => e.k);
    this.sketches = layout.entries.map((e) => e.k);
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

  /** Bytes that a batch will take, with a workspace of its own unless that is shared. */
  static bytesFor(matrices: readonly MatrixShape[], vectors = true, shared = false): number {
    const { entries, long, short, factors, columns } = layoutMatrices(matrices, vectors);
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

  /** Target ranks and sketch sizes (clamped to 1 … k) that hold from the next refresh on, and factors of λ that hold at once. */
  configure(ranks: readonly number[], sketches: readonly number[], gains?: readonly number[]): void {
    this.layout.entries.forEach((e, i) => {
      this.ranks[i] = ranks[i] ?? e.k;
      this.sketches[i] = Math.min(e.k, Math.max(1, sketches[i] ?? e.k));
      this.gains[i] = gains?.[i] ?? this.gains[i] ?? 1;
    });
    this.writeTable();
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
      views: { ...this.workspace, arena: this.o.arena, table, state, sigma, factors, columns, off, origin, partials },
    });
  }

  /** Exact decomposition of all matrices from their last right vectors, from the identity where there are none. */
  exact(sweeps: number, tolerance: Tolerance = 'fine'): Program {
    return this.sequence(`exact ${sweeps} ${tolerance}`, () => [
      'openExact',
      'startExact',
      ...this.sweeps(sweptOf(tolerance), this.layout.maxK, sweeps, tolerance),
      'finish',
    ]);
  }

  /** Exact decomposition that uses nothing of the past. */
  coldExact(): Program {
    return this.sequence('cold', () => ['openExact', ...this.fromNothing()]);
  }

  /** Exact decomposition, as cold, of the matrices whose state is live: what a guard left open. */
  redo(): Program {
    return this.sequence('redo', () => this.fromNothing());
  }

  private fromNothing(): Part[] {
    const { maxK } = this.layout;
    return [
      'factorExact',
      ...this.sweeps('Exact', maxK, SQUARE_SWEEPS, 'coarse'),
      'settleExact',
      'anew',
      ...this.sweeps('Fine', maxK, MAX_SWEEPS, 'fine'),
      'finish',
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
      ...this.sweeps(sweptOf(tolerance), widest, sweeps, tolerance),
      'finish',
      'residual',
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

  /** Reads one matrix's triplets back: u (rows × count), s, v (cols × count), row-major. */
  async readTriplets(index: number, count: number): Promise<{ u: Float32Array; s: Float32Array; v: Float32Array }> {
    const e = this.layout.entries[index];
    if (!e || !this.vectors) throw new Error(`${this.label} keeps no vectors of a matrix ${index}`);
    const [factors, sigma] = await Promise.all([
      this.gpu.readFloats(slice(this.factors, e.uAt * 4, (e.pv + e.kv) * e.k * 4)),
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

  private sweeps(what: Swept, widest: number, sweeps: number, tolerance: Tolerance): Part[] {
    const { square, apart } = this.tuning;
    const divided = apart && widest >= apart.from && (apart.triangles || what === 'Fine' || what === 'Coarse');
    if (!divided) return [what === 'Sketch' && square && widest <= square.side ? 'square' : `sweeps${what}`];
    const rounds = tournament(widest).rounds + (apart.shared ? 2 : 0);
    // Behind what a triangle left, one sweep is mostly enough.
    const after = (sweep: number): Part[] => (what === 'Fine' && sweep < CHECKED ? ['check'] : []);
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

  private writeTable(): void {
    const all = new Uint32Array((this.count * MATRIX_BYTES) / 4);
    this.layout.entries.forEach((e, i) => {
      all.set(packMatrix(e, this.ranks[i] ?? e.k, this.sketches[i] ?? e.k, this.seed + i * 0x9e37, this.gains[i]), (i * MATRIX_BYTES) / 4);
    });
    if (this.count > 0) this.gpu.write(this.table, all);
  }
}
