import type { Timing } from '../../protocol/messages';
import type { PhaseTimes } from '../gpu/timestamps';

/** A submit longer than this, milliseconds, is cut: systems kill work that holds the device for seconds. */
const SUBMIT_TARGET = 90;
/** Steps behind the mean wall time, and the fewest that say how long one takes. */
const WINDOW = 32;
const FEWEST = 3;
/** What the newest step counts in the times of the device. */
const NEWEST = 0.1;

/** How fast the steps of a run land: the wall time of one, how the device divides it, and the submits that one is cut into. */
export class Pace {
  private landedAt = 0;
  private readonly wall: number[] = [];
  private times: PhaseTimes | undefined;
  /** Submits per step, so that none takes much longer than 90 ms. */
  parts = 1;

  /** Training begins, or goes on: the next step is timed from here, and those before a pause are forgotten. */
  begin(): void {
    this.skip();
    this.wall.length = 0;
  }

  /** What passed since the last step was not the run's. */
  skip(): void {
    this.landedAt = performance.now();
  }

  /** A step has landed; `times` are those of the device, milliseconds, where it has a clock. */
  land(times: PhaseTimes | null): void {
    const now = performance.now();
    this.wall.push(now - this.landedAt);
    if (this.wall.length > WINDOW) this.wall.shift();
    this.landedAt = now;
    if (times) {
      this.times = blend(this.times ?? times, times);
      this.parts = partsOf(Object.values(times).reduce((a, b) => a + b, 0));
    } else if (this.wall.length >= FEWEST) this.parts = partsOf(median(this.wall));
  }

  /** Null until a step has landed since training began. */
  timing(batchSize: number): Timing | null {
    if (this.wall.length === 0) return null;
    const msPerStep = this.wall.reduce((a, b) => a + b, 0) / this.wall.length;
    const t = this.times;
    return {
      msPerStep,
      imagesPerSecond: (1000 * batchSize) / msPerStep,
      split: t ? { forward: t.forward, backward: t.backward, optimizer: t.optimizer, q3r: t.q3r } : null,
    };
  }
}

const partsOf = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / SUBMIT_TARGET));

function blend(before: PhaseTimes, now: PhaseTimes): PhaseTimes {
  const mix = (phase: keyof PhaseTimes): number => (1 - NEWEST) * before[phase] + NEWEST * now[phase];
  return { forward: mix('forward'), backward: mix('backward'), optimizer: mix('optimizer'), q3r: mix('q3r'), other: mix('other') };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
