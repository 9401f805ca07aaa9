import type { RunRecord } from '../../protocol/run/record';
import type { RunGrid, RunSummary } from '../slices/runs';
import { bytesOf, packRun, unpackRun, type StoredRun } from './pack';
import type { RunStorage } from './storage';
import { summaryOf } from './summary';

/** What a browser keeps at most; beyond it the oldest runs that are not pinned go, where bytes are short those of grids first. */
export const MAX_RUNS = 100;
/** As many as one grid may have; they take no room from the others. */
export const MAX_GRID_RUNS = 400;
export const MAX_BYTES = 300e6;

/** Series styles of kept runs; the run on screen has the first. */
export const STYLES = [2, 3, 4, 5, 6, 7, 8] as const;

export interface Bound {
  readonly runs: number;
  readonly gridRuns: number;
  readonly bytes: number;
}

/** What is said of a run beside its record. */
export interface KeepOptions {
  readonly imported?: boolean;
  readonly checkpoint?: string | null;
  readonly grid?: RunGrid | undefined;
  /** Asked for by the visitor: taken even where it was deleted during this visit. */
  readonly asked?: boolean;
}

type Own = Pick<RunSummary, 'name' | 'pinned' | 'style'>;

/**
 * Keeps runs in a storage, and where that fails in memory. Writes follow each other; what a visitor changed in the table (name, colour,
 * pin) outlives every later state of the same run.
 */
export class Shelf {
  /** Runs that the storage did not take. */
  private readonly memory = new Map<string, { run: StoredRun; summary: RunSummary }>();
  private summaries = new Map<string, RunSummary>();
  private readonly hidden = new Set<string>();
  /** Deleted for good: later states of a run that still trains are not kept. */
  private readonly gone = new Set<string>();
  private reason: string | null = null;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly storage: RunStorage,
    /** Told after every change: the runs, newest first, and why some are in memory only. */
    private readonly changed: (runs: RunSummary[], unstored: string | null) => void,
    private readonly bound: Bound = { runs: MAX_RUNS, gridRuns: MAX_GRID_RUNS, bytes: MAX_BYTES },
  ) {}

  /** Reads the index; again after another tab changed it. */
  load(): Promise<void> {
    return this.next(async () => {
      try {
        const stored = await this.storage.list();
        this.summaries = new Map(stored.map((summary) => [summary.id, summary]));
      } catch (error) {
        this.reason = `Kept runs cannot be read: ${text(error)}`;
      }
      for (const [id, { summary }] of this.memory) this.summaries.set(id, summary);
      this.tell();
    });
  }

  /** Newest first. */
  list(): RunSummary[] {
    return [...this.summaries.values()].filter(({ id }) => !this.hidden.has(id)).sort((a, b) => b.date - a.date);
  }

  /** @throws Error where the run is not kept (any more) */
  async get(id: string): Promise<RunRecord> {
    await this.queue;
    const run = this.memory.get(id)?.run ?? (await this.storage.get(id));
    if (!run) throw new Error('This run is no longer kept in this browser.');
    return { ...unpackRun(run), name: this.summaries.get(id)?.name ?? run.name };
  }

  /** Stores the newest state of a run. Never rejects: what cannot be stored is kept in memory. */
  keep(record: RunRecord, { imported = false, checkpoint = null, grid, asked = false }: KeepOptions = {}): Promise<RunSummary | null> {
    return this.next(async () => {
      const { id } = record;
      if (asked) this.gone.delete(id);
      if (this.gone.has(id)) return null;
      const run = packRun(record);
      const before = this.summaries.get(id);
      const fresh = summaryOf(record, {
        pinned: false,
        style: before?.style ?? this.freeStyle(),
        bytes: bytesOf(run),
        imported,
        checkpoint,
        ...(grid && { grid }),
      });
      const merge = (stored: RunSummary | undefined): RunSummary => {
        const known = stored ?? before;
        if (!known) return fresh;
        const own: Own = { name: known.name, pinned: known.pinned, style: known.style };
        return { ...fresh, ...own, imported: known.imported, checkpoint: checkpoint ?? known.checkpoint };
      };
      let summary: RunSummary;
      try {
        summary = await this.storage.put(run, merge);
        this.memory.delete(id);
        if (this.memory.size === 0) this.reason = null;
      } catch (error) {
        summary = merge(undefined);
        this.memory.set(id, { run, summary });
        this.reason = isQuota(error) ? 'This browser has no room for more runs' : `This browser does not store runs: ${text(error)}`;
      }
      this.summaries.set(id, summary);
      await this.makeRoom(id);
      this.tell();
      return summary;
    });
  }

  /** What a visitor changes in the table. */
  patch(id: string, change: Partial<Own>): Promise<void> {
    const known = this.summaries.get(id);
    if (!known) return Promise.resolve();
    // Seen at once; stored when its turn comes.
    this.summaries.set(id, { ...known, ...change });
    const inMemory = this.memory.get(id);
    if (inMemory) this.memory.set(id, { ...inMemory, summary: { ...inMemory.summary, ...change } });
    this.tell();
    return this.next(() => this.storage.patch(id, change).catch(() => undefined));
  }

  /** Takes runs off the list, and puts them back. */
  hide(ids: readonly string[], hidden: boolean): void {
    for (const id of ids)
      if (hidden) this.hidden.add(id);
      else this.hidden.delete(id);
    this.tell();
  }

  /** For good. @throws where the storage refuses; the runs are back on the list then */
  delete(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.gone.add(id);
    return this.next(async () => {
      try {
        await this.storage.delete(ids.filter((id) => !this.memory.has(id)));
        for (const id of ids) {
          this.memory.delete(id);
          this.summaries.delete(id);
        }
      } catch (error) {
        for (const id of ids) this.gone.delete(id);
        throw error;
      } finally {
        for (const id of ids) this.hidden.delete(id);
        this.tell();
      }
    });
  }

  /** A colour that the fewest runs have. */
  freeStyle(): number {
    const count = (style: number) => [...this.summaries.values()].filter((s) => s.style === style).length;
    return STYLES.reduce<number>((best, style) => (count(style) < count(best) ? style : best), STYLES[0]);
  }

  private async makeRoom(newest: string): Promise<void> {
    // A grid has its runs twice, see compare/grid/shelf; another run is nowhere else.
    const all = [...this.summaries.values()].sort((a, b) => Number(!a.grid) - Number(!b.grid) || a.date - b.date);
    const count = { grid: all.filter(({ grid }) => grid).length, own: all.filter(({ grid }) => !grid).length };
    let bytes = all.reduce((sum, s) => sum + s.bytes, 0);
    const out: string[] = [];
    for (const { id, pinned, bytes: size, grid } of all) {
      const kind = grid ? 'grid' : 'own';
      if (count[kind] <= (grid ? this.bound.gridRuns : this.bound.runs) && bytes <= this.bound.bytes) continue;
      if (pinned || id === newest) continue;
      out.push(id);
      count[kind]--;
      bytes -= size;
    }
    if (out.length === 0) return;
    try {
      await this.storage.delete(out.filter((id) => !this.memory.has(id)));
    } catch {
      // Nothing goes that cannot; the next run tries again.
      return;
    }
    for (const id of out) {
      this.memory.delete(id);
      this.summaries.delete(id);
    }
  }

  private tell(): void {
    this.changed(this.list(), this.memory.size > 0 || this.reason ? this.reason : null);
  }

  private next<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.queue.then(work);
    this.queue = mine.catch(() => undefined);
    return mine;
  }
}

const isQuota = (error: unknown): boolean => error instanceof DOMException && error.name === 'QuotaExceededError';
const text = (error: unknown): string => (error instanceof Error && error.message ? error.message : String(error));
