import type { Experiment } from '../../protocol/experiment';
import { checkpointPieces, type Checkpoint, type CheckpointDescription } from './checkpoint';
import type { Kind } from './checkpointStore';
import { RECORD_WIDTH } from '../../protocol/run/record';
import type { Snapshot } from './snapshot';
import type { Trainer } from './trainer';

/** Milliseconds between two writes of a run that goes on, and the share of the time that they may take. */
const INTERVAL = 10_000;
const SHARE = 0.05;
/** Longest the checksum may hold up the steps at a time, milliseconds. */
const SLICE = 12;

/** What only the session knows of a run. */
export type Surroundings = Pick<CheckpointDescription, 'data' | 'device' | 'tuning' | 'page'>;

/** A snapshot of a run with all that a checkpoint says beside it. `step` of the history and of the snapshot agree. */
export function checkpointOf(trainer: Trainer, snapshot: Snapshot, experiment: Experiment, around: Surroundings): Checkpoint {
  const { step } = snapshot;
  const evaluations = trainer.history.evaluations(step);
  return {
    experiment,
    records: trainer.history.packed(1).slice(0, step * RECORD_WIDTH),
    evaluations,
    description: {
      version: 1,
      step,
      elapsedMs: trainer.elapsedMs,
      marks: trainer.marks.filter((mark) => mark.step <= step),
      ...around,
      date: Date.now(),
      accuracy: evaluations.at(-1)?.accuracy ?? null,
      loss: step > 0 ? trainer.history.record(step).loss : null,
    },
  };
}

/** Where a run is kept. */
export interface Shelf {
  write(kind: Kind, pieces: readonly Uint8Array<ArrayBuffer>[], breathe: () => Promise<void>): Promise<void>;
}

interface Offer {
  readonly trainer: Trainer;
  readonly snapshot: Snapshot;
  readonly checkpoint: Checkpoint;
}

/**
 * Keeps one run in the browser's storage while it trains: its newest state every ten seconds or so, and that of its best
 * validation. Writes one file at a time and never makes a step wait for one.
 */
export class Keeper {
  private latest: (() => Offer | undefined) | undefined;
  private best: Offer | undefined;
  /** Highest validation accuracy that is stored or waits to be. */
  private bestAccuracy = -1;
  private writtenAt = performance.now();
  private cost = 0;
  private writing: Promise<void> | undefined;

  constructor(
    /** Name of the run in the storage. */
    readonly key: string,
    private readonly shelf: Shelf,
    private readonly around: () => Surroundings,
    /** Storing has failed; the run trains on, and the next write is tried as if nothing had happened. */
    private readonly onFailure: (error: unknown, bytes: number) => void,
  ) {}

  /** The accuracy that a new best has to beat, for a run that goes on from an earlier visit. */
  resumeAt(accuracy: number): void {
    this.bestAccuracy = accuracy;
  }

  /** A good snapshot; the run's history reaches at least to its step. */
  offer(trainer: Trainer, snapshot: Snapshot, experiment: Experiment): void {
    if (snapshot.step === 0) return;
    const make = (): Offer | undefined =>
      // A run that went back has forgotten the step.
      trainer.landed >= snapshot.step
        ? { trainer, snapshot, checkpoint: checkpointOf(trainer, snapshot, experiment, this.around()) }
        : undefined;
    this.latest = make;
    const validated = trainer.history.evaluations(snapshot.step).at(-1);
    if (validated?.step === snapshot.step && validated.accuracy > this.bestAccuracy) {
      this.best = make();
      this.bestAccuracy = validated.accuracy;
    }
    if (!this.writing && performance.now() - this.writtenAt > Math.max(INTERVAL, this.cost / SHARE)) void this.flush();
  }

  /** Stores what was offered and is not stored yet. Never rejects. */
  async flush(): Promise<void> {
    while (this.writing) await this.writing;
    this.writing = this.writeAll().finally(() => (this.writing = undefined));
    await this.writing;
  }

  private async writeAll(): Promise<void> {
    const { best, latest } = this;
    this.best = this.latest = undefined;
    const from = performance.now();
    const newest = this.make(latest);
    if (newest) await this.write('latest', newest);
    if (best) await this.write('best', best);
    if (!newest && !best) return;
    this.writtenAt = performance.now();
    this.cost = this.writtenAt - from;
  }

  private make(latest: (() => Offer | undefined) | undefined): Offer | undefined {
    try {
      return latest?.();
    } catch (error) {
      // Without a device nothing can be said of it; it is offered again when there is one.
      this.latest ??= latest;
      this.onFailure(error, 0);
      return undefined;
    }
  }

  private async write(kind: Kind, { trainer, snapshot, checkpoint }: Offer): Promise<void> {
    let resumed = performance.now();
    const breathe = async (): Promise<void> => {
      if (performance.now() - resumed < SLICE) return;
      await new Promise((resume) => setTimeout(resume, 0));
      resumed = performance.now();
    };
    let bytes = 0;
    try {
      const pieces = await checkpointPieces(checkpoint, snapshot, trainer.run.stateLayout, trainer.run.tables, breathe);
      bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
      await this.shelf.write(kind, pieces, breathe);
    } catch (error) {
      this.onFailure(error, bytes);
    }
  }
}
