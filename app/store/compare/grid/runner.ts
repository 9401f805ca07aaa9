import { CURVE_FRACTIONS } from '../../../protocol/truncation';
import type { RunRecord } from '../../../protocol/run/record';
import type { Rig } from '../rig';
import { figuresOf, keptOf } from './cellFigures';
import type { GridCell } from './definition';
import type { CellResult } from './shelf';

interface Hooks {
  /** A worker for the runs; asked for again after one has crashed. `changed` is called with every report. */
  rig(changed: () => void): Rig;
  /** The run begins, or has told something. */
  onProgress(cell: GridCell, rig: Rig): void;
  /** Resolves when the result is kept. */
  onResult(cell: GridCell, result: CellResult, record: RunRecord | null): Promise<void>;
  /** Name of the run of a cell. */
  about(cell: GridCell): Pick<RunRecord, 'id' | 'name' | 'parent' | 'date'>;
}

/** Thrown inside the runner to leave it. */
class Stopped extends Error {
  override name = 'AbortError';
}

/** Makes the runs of a grid one after the other, unattended. A run that fails is noted, and the next one begins. */
export class GridRunner {
  private rig: Rig | undefined;
  private stopped = false;
  private resume: (() => void) | undefined;
  private gate: Promise<void> = Promise.resolve();
  private notify: () => void = () => undefined;
  private pausedAt: number | undefined;
  private pausedMs = 0;

  constructor(private readonly hooks: Hooks) {}

  get paused(): boolean {
    return this.resume !== undefined;
  }

  /** Resolves when all are done, or after `stop`. @throws WorkerError where no device can be had */
  async run(cells: readonly GridCell[]): Promise<void> {
    try {
      for (const cell of cells) {
        await this.pass();
        await this.one(cell);
      }
    } catch (error) {
      if (!this.stopped) throw error;
    } finally {
      this.rig?.close();
      this.rig = undefined;
    }
  }

  /** Stops after the step under way; the run under way waits. */
  pause(): void {
    if (this.paused || this.stopped) return;
    this.pausedAt = performance.now();
    this.gate = new Promise((resolve) => (this.resume = resolve));
    void this.rig?.client.send('pause', {}).catch(() => undefined);
  }

  continue(): void {
    const { resume } = this;
    this.resume = undefined;
    if (this.pausedAt !== undefined) this.pausedMs += performance.now() - this.pausedAt;
    this.pausedAt = undefined;
    resume?.();
  }

  /** Gives the run under way up and ends. */
  stop(): void {
    this.stopped = true;
    this.continue();
    this.rig?.close();
    this.notify();
  }

  private async pass(): Promise<void> {
    while (this.paused) await this.gate;
    if (this.stopped) throw new Stopped('The grid was stopped.');
  }

  private async one(cell: GridCell): Promise<void> {
    const from = performance.now();
    this.pausedMs = 0;
    const wall = () => performance.now() - from - this.pausedMs;
    this.rig ??= this.hooks.rig(() => {
      this.notify();
    });
    const { rig } = this;
    this.notify = () => this.hooks.onProgress(cell, rig);
    let record: RunRecord | null = null;
    let result: CellResult;
    // A device that cannot be had is not the fault of a run: then the grid ends, with what it has.
    await rig.open();
    try {
      await this.train(cell, rig);
      const curve = await this.measure(rig);
      record = rig.record(this.hooks.about(cell));
      result = { figures: figuresOf(record, curve), problem: null, wallMs: wall() };
    } catch (error) {
      if (this.stopped) throw error;
      const message = rig.state.fault?.message ?? (error instanceof Error ? error.message : String(error));
      result = { figures: null, problem: message, wallMs: wall() };
      // A fresh worker for the next one, whatever this one is in.
      rig.close();
      this.rig = undefined;
    }
    this.notify = () => undefined;
    await this.hooks.onResult(cell, result, record);
  }

  /** From step 0 to the end, through pauses. */
  private async train(cell: GridCell, rig: Rig): Promise<void> {
    await rig.configure(cell.experiment);
    // Two runs that differ by live settings only are two runs all the same.
    await rig.reset();
    for (;;) {
      await this.pass();
      await rig.client.send('start', {});
      const phase = await this.ended(cell, rig);
      if (phase === 'finished') return;
      if (phase === 'failed') throw new Error(rig.state.fault?.message ?? 'The run failed.');
      // Paused by the visitor, or the worker stands for a reason of its own and is asked to go on.
    }
  }

  /** Waits until the run no longer goes on. */
  private ended(cell: GridCell, rig: Rig): Promise<'finished' | 'failed' | 'paused'> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.stopped) return reject(new Stopped('The grid was stopped.'));
        const { phase, recovering } = rig.state;
        this.hooks.onProgress(cell, rig);
        // A lost device is opened anew by the worker, and the run goes on.
        if (recovering) return;
        if (phase === 'finished' || phase === 'failed') resolve(phase);
        // A start that a pause came before has not begun: the run is idle.
        else if (phase === 'paused' || phase === 'idle') resolve('paused');
      };
      this.notify = look;
      look();
    });
  }

  /** The truncation curve with the share of the target rank in it; undefined where no matrix is targeted. */
  private async measure(rig: Rig) {
    await this.pass();
    const { targetModules } = rig.state.running!.method;
    const kept = keptOf(rig.state.spectra?.matrices ?? [], targetModules);
    if (targetModules.length === 0 || !Number.isFinite(kept)) return undefined;
    const values = [...new Set([...CURVE_FRACTIONS, Math.min(2, kept)])].sort((a, b) => a - b);
    const { step, by, full, cuts } = await rig.client.send('truncate', { values, by: 'fraction' });
    return { step, by, full, cuts };
  }
}
