/** One of the two that walk together. */
export interface Walker {
  /** Steps made. */
  readonly step: number;
  /** Steps of its whole run. */
  readonly total: number;
  /** Exactly `count` more steps. */
  advance(count: number): Promise<unknown>;
  /** The exact spectra of the weights as they are. */
  watch(): Promise<unknown>;
  /** Stops what runs by itself, as after a lost device; resolves when it stands. */
  halt(): Promise<unknown>;
}

/** Milliseconds that a turn should take: short enough for a pause to be felt at once. */
export const TURN_MS = 200;
const MOST_STEPS = 500;
/** Spectra of both are taken at the same step, at most this often (ms) and in at most this share of the time. */
const WATCH_MS = 300;
const WATCH_SHARE = 0.1;

/** Steps of the next turn after one of `count` steps that took `ms`: towards TURN_MS, at most twice as many at a time. */
export function nextChunk(count: number, ms: number): number {
  const wanted = Math.floor((count * TURN_MS) / Math.max(1, ms));
  return Math.max(1, Math.min(wanted, count * 2, MOST_STEPS));
}

/**
 * Steps that each of the two makes in the next turn. Where one is behind, as after a lost device, it catches up alone; else both make the
 * same number; the one whose run is shorter stops at its end.
 */
export function turnOf(a: Pick<Walker, 'step' | 'total'>, b: Pick<Walker, 'step' | 'total'>, chunk: number): [number, number] {
  const ahead = Math.max(a.step, b.step);
  const behind = Math.min(a.step, b.step);
  const one = a.step < a.total && b.step < b.total ? behind : ahead;
  const to = Math.min(one < ahead ? ahead : Infinity, one + chunk);
  const upTo = ({ step, total }: Pick<Walker, 'step' | 'total'>) => Math.max(0, Math.min(to, total) - step);
  return [upTo(a), upTo(b)];
}

/** Drives two runs in turns of the same number of steps; nothing happens to either but between two turns. */
export class Lockstep {
  private loop: Promise<void> | undefined;
  private stopping = false;
  private readonly waiting: (() => Promise<void>)[] = [];
  private chunk = 1;
  /** Milliseconds of one step of both in the last turn; NaN before the first. */
  pace = NaN;
  private watchedAt = -Infinity;
  private watchCost = 0;
  private watchedStep = -1;

  constructor(
    private readonly a: Walker,
    private readonly b: Walker,
    /** After every turn. */
    private readonly onTurn: () => void = () => undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get running(): boolean {
    return this.loop !== undefined;
  }
  get finished(): boolean {
    return this.a.step >= this.a.total && this.b.step >= this.b.total;
  }

  /** Goes on until paused or both are at their ends, or exactly `steps` more. Resolves when both stand. @throws what a side throws */
  play(steps = Infinity): Promise<void> {
    if (this.loop) return this.loop;
    this.stopping = false;
    this.loop = this.run(steps).finally(() => {
      this.loop = undefined;
    });
    return this.loop;
  }

  /** Stops after the turn under way; resolves when both stand. */
  async pause(): Promise<void> {
    this.stopping = true;
    await this.loop?.catch(() => undefined);
  }

  /** Does `work` while both stand: between two turns, or at once. @throws what `work` throws */
  between<T>(work: () => Promise<T>): Promise<T> {
    if (!this.loop) return work();
    return new Promise<T>((resolve, reject) => this.waiting.push(() => work().then(resolve, reject)));
  }

  /** Forgets the pace and the spectra, for two runs that are back at step 0. */
  restart(): void {
    this.chunk = 1;
    this.watchedStep = -1;
    this.watchedAt = -Infinity;
  }

  private async run(steps: number): Promise<void> {
    const { a, b } = this;
    const end = Math.max(a.step, b.step) + steps;
    try {
      while (!this.stopping) {
        await this.serve();
        const room = end - Math.max(a.step, b.step);
        const behind = a.step !== b.step && a.step < a.total && b.step < b.total;
        if (!behind && room <= 0) break;
        const counts = turnOf(a, b, behind ? this.chunk : Math.min(this.chunk, room));
        if (counts[0] + counts[1] === 0) break;
        const from = this.now();
        await both(counts[0] > 0 ? a.advance(counts[0]) : undefined, counts[1] > 0 ? b.advance(counts[1]) : undefined);
        const ms = this.now() - from;
        this.pace = ms / Math.max(...counts);
        this.chunk = nextChunk(Math.max(...counts), ms);
        if (this.now() - this.watchedAt > Math.max(WATCH_MS, this.watchCost / WATCH_SHARE)) await this.watch();
        this.onTurn();
      }
      await this.watch();
    } catch (error) {
      await Promise.allSettled([a.halt(), b.halt()]);
      throw error;
    } finally {
      await this.serve();
    }
  }

  private async serve(): Promise<void> {
    for (let work = this.waiting.shift(); work; work = this.waiting.shift()) await work();
  }

  /** Spectra of both, unless those of this step are there. */
  private async watch(): Promise<void> {
    const step = Math.max(this.a.step, this.b.step);
    if (this.watchedStep === step) return;
    const from = this.now();
    await both(this.a.watch(), this.b.watch());
    this.watchedAt = this.now();
    this.watchCost = this.watchedAt - from;
    this.watchedStep = step;
  }
}

/** Waits for both, whatever becomes of the first; then fails with the first failure. */
async function both(a: Promise<unknown> | undefined, b: Promise<unknown> | undefined): Promise<void> {
  const results = await Promise.allSettled([Promise.resolve(a), Promise.resolve(b)]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
