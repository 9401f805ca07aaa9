import type { RunPhase } from '../protocol/messages';
import { MAX_FRAMES, type SpectraFrame } from '../protocol/run/record';

/**
 * The spectra of the run on screen over its steps, whole, in bounded memory and outside React. At most `MAX_FRAMES`: when it is full, every
 * second one goes, and from then on only one in twice as many spectra stays for good. The newest is always there.
 */
export class Frames {
  private runId = 0;
  private list: SpectraFrame[] = [];
  /** One in so many spectra stays. */
  private every = 1;
  /** Spectra pushed, of which those whose number is a multiple of `every` stay; the others stand in as the newest only. */
  private pushed = 0;
  private passing = false;
  private counter = 0;
  private sigma = 0;
  private readonly listeners = new Set<() => void>();

  /** A run's state: another run has no spectra yet, and one that stands still has none past its step. */
  begin(runId: number, phase: RunPhase, step: number): void {
    if (runId < this.runId) return;
    if (runId > this.runId) this.clear(runId);
    else if (phase !== 'running') this.forgetAfter(step);
  }

  /** Adds the spectra after `step`. A step before the newest means that the run went back: what lies after it is forgotten. */
  push(step: number, matrices: SpectraFrame['matrices']): void {
    const frame = { step, matrices };
    for (const matrix of matrices) this.sigma = Math.max(this.sigma, matrix.sigma[0] ?? 0);
    this.drop((other) => other.step >= step);
    if (this.passing) this.list.pop();
    if (this.list.length === MAX_FRAMES) {
      this.list = this.list.filter((_, i) => i % 2 === 0);
      this.every *= 2;
    }
    this.list.push(frame);
    this.passing = this.pushed++ % this.every > 0;
    this.changed();
  }

  /** Takes the kept spectra of a run in the place of what there is. */
  load(runId: number, frames: readonly SpectraFrame[]): void {
    this.clear(runId);
    for (const { step, matrices } of frames) this.push(step, matrices);
  }

  /** The frame at `step` or the last before it; the first where all are later; null when there is none. */
  at(step: number): SpectraFrame | null {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle]!.step <= step) low = middle + 1;
      else high = middle;
    }
    return this.list[low - 1] ?? this.list[0] ?? null;
  }

  /** All of them, by ascending step; another array after every change. */
  all(): readonly SpectraFrame[] {
    return [...this.list];
  }

  get length(): number {
    return this.list.length;
  }

  /** The largest singular value of any matrix of the run so far; 0 before there is one. */
  get largest(): number {
    return this.sigma;
  }

  /** Grows with every change; a snapshot for `useSyncExternalStore`. */
  get version(): number {
    return this.counter;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private clear(runId: number): void {
    this.runId = runId;
    this.list = [];
    this.sigma = 0;
    this.every = 1;
    this.pushed = 0;
    this.passing = false;
    this.changed();
  }

  private forgetAfter(step: number): void {
    if (this.drop((frame) => frame.step > step)) this.changed();
  }

  /** Takes frames off the end; whether there were any. */
  private drop(gone: (frame: SpectraFrame) => boolean): boolean {
    const before = this.list.length;
    while (this.list.length > 0 && gone(this.list.at(-1)!)) this.list.pop();
    if (this.list.length === before) return false;
    this.passing = false;
    this.pushed = this.list.length * this.every;
    return true;
  }

  private changed(): void {
    this.counter++;
    for (const listener of this.listeners) listener();
  }
}

/** The spectra of the run on screen. */
export const frames = new Frames();
