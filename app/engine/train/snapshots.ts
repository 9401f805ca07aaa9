import type { Experiment } from '../../protocol/experiment';
import type { Run } from './run';
import type { Snapshot } from './snapshot';

/** Milliseconds between two snapshots of a run that goes on, and the share of the time that they may take. */
const INTERVAL = 4000;
const SHARE = 0.04;

/** What snapshots need to know of the run they are of. */
export interface SnapshotHost {
  readonly run: Run;
  /** Steps submitted. */
  step(): number;
  /** Steps whose results have arrived. */
  landed(): number;
  failed(): boolean;
  /** Resolves when no validation is under way. */
  settled(): Promise<void>;
  /** Whether anybody keeps them beyond this visit. */
  keeps(): boolean;
  keep(snapshot: Snapshot, experiment: Experiment): void;
  /** A copy that was queued could not be read. */
  onError(error: unknown): void;
}

/** Copies of a run's state, one at a time, in the worker's memory; the last good one is what a run can go back to. */
export class Snapshots {
  /** The last good one. */
  last: Snapshot | undefined;
  private at = 0;
  private cost = 0;
  private taking: Promise<void> | undefined;

  constructor(private readonly host: SnapshotHost) {}

  /** None is under way, the last is older than `age` milliseconds, and another would not cost more than its share. */
  due(age = INTERVAL): boolean {
    return !this.taking && performance.now() - this.at > Math.max(age, this.cost / SHARE);
  }

  /** Begins one of what has been submitted so far; the copies are queued before this returns. Never rejects. */
  begin(): Promise<void> {
    return (this.taking = this.take()
      .catch((error: unknown) => this.host.onError(error))
      .finally(() => (this.taking = undefined)));
  }

  /** Begins the first, unless there is one. */
  beginFirst(): void {
    if (!this.last && !this.taking) void this.begin();
  }

  private async take(): Promise<void> {
    const { host } = this;
    const step = host.step();
    const { experiment } = host.run;
    const from = performance.now();
    const snapshot = await host.run.takeSnapshot(step);
    this.cost = performance.now() - from;
    this.at = performance.now();
    // Kept only when the step it follows has landed well and every weight is finite: a step may leave infinite weights behind
    // that only the next loss shows.
    // That of the initial weights is good whatever the steps behind it did.
    if ((host.failed() && step > 0) || host.landed() < step || !snapshot.finite) return;
    this.last = snapshot;
    if (!host.keeps() || host.failed()) return;
    // With the validation of the same step, if there is one.
    await host.settled();
    if (!host.failed() && host.landed() >= step) host.keep(snapshot, experiment);
  }

  /** Resolves when none is under way. */
  async settled(): Promise<void> {
    while (this.taking) await this.taking;
  }

  /** Makes the last one that of the present step. */
  async here(): Promise<void> {
    await this.settled();
    if (this.last?.step !== this.host.step()) await this.begin();
  }

  /** The state after everything submitted so far. @throws Error when it is not one to go on from */
  async now(): Promise<Snapshot> {
    await this.settled();
    const step = this.host.step();
    await this.begin();
    const { last } = this;
    if (this.host.failed() || last?.step !== step) throw new Error('The run has failed and has no good state to save at this step.');
    return last;
  }
}
