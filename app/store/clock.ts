import type { RunPhase } from '../protocol/messages';

/** Most times of a run that are kept. */
const MAX_TIMES = 512;
/** Runs whose times are remembered after another has begun. */
const REMEMBERED = 12;

/** When the steps of the run on screen were made: milliseconds of training by step, in bounded memory, outside React. */
export class Clock {
  private runId = 0;
  /** Pairs of a step and its milliseconds. */
  private data = new Float64Array(2 * MAX_TIMES);
  private count = 0;
  /** Steps that a time is at least from the next. */
  private distance = 1;
  /** The times of the runs before, for curves that are still drawn. */
  private readonly past = new Map<number, Float64Array>();

  /** A run's state. Another run has no times yet; a step before the newest means that the run went back. */
  note(runId: number, phase: RunPhase, step: number, elapsedMs: number): void {
    if (runId < this.runId) return;
    if (runId > this.runId) this.clear(runId);
    while (this.count > 0 && this.step(this.count - 1) > step) this.count--;
    if (phase === 'preparing' || step <= 0) return;
    this.add(step, elapsedMs);
  }

  /** Takes the kept times of a run in the place of what there is. */
  load(runId: number, pairs: Float64Array): void {
    this.clear(runId);
    for (let i = 0; i + 1 < pairs.length; i += 2) this.add(pairs[i]!, pairs[i + 1]!);
  }

  /** All times as pairs of a step and its milliseconds, ascending; a copy. */
  packed(): Float64Array {
    return this.data.slice(0, 2 * this.count);
  }

  /** The times of this run or of one of the last before it; empty where nothing is known. */
  of(runId: number): Float64Array {
    return runId === this.runId ? this.packed() : (this.past.get(runId) ?? new Float64Array());
  }

  private add(step: number, ms: number): void {
    const last = this.count - 1;
    // A run that stands still stands at the time of its last step.
    if (last >= 0 && this.step(last) === step) return;
    // The newest gives way until it is far enough from the one before it.
    if (last >= 1 && this.step(last) - this.step(last - 1) < this.distance) this.count--;
    if (this.count === MAX_TIMES) this.thin();
    this.data[2 * this.count] = step;
    this.data[2 * this.count + 1] = ms;
    this.count++;
  }

  private thin(): void {
    this.distance = Math.max(this.distance * 2, (2 * (this.step(this.count - 1) - this.step(0))) / MAX_TIMES);
    let kept = 1;
    for (let i = 1; i < this.count; i++) {
      if (this.step(i) - this.step(kept - 1) < this.distance && i < this.count - 1) continue;
      this.data.copyWithin(2 * kept, 2 * i, 2 * i + 2);
      kept++;
    }
    this.count = kept;
  }

  private step(i: number): number {
    return this.data[2 * i]!;
  }

  private clear(runId: number): void {
    if (this.count > 0) this.past.set(this.runId, this.packed());
    for (const old of this.past.keys()) if (this.past.size > REMEMBERED) this.past.delete(old);
    this.runId = runId;
    this.count = 0;
    this.distance = 1;
  }
}

/** The times of the run on screen. */
export const clock = new Clock();
