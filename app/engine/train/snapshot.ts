import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Readback } from '../gpu/readback';
import type { SavedView } from '../linalg/svdFactors';

/** Everything needed to continue a run bitwise: kept in worker memory, restored on the same or on a new device. */
export interface Snapshot {
  /** Steps made. */
  readonly step: number;
  /** Contents of the run's state views, in the order of `Snapshotter.layout`. */
  readonly parts: readonly ArrayBuffer[];
  /** The regularizer's CPU-side state (sketch sizes, refresh count). */
  readonly regularizer: unknown;
  /** No weight is infinite or NaN. */
  readonly finite: boolean;
}

/** Copies the run's state views into one preallocated staging buffer and from there into worker memory. */
export class Snapshotter {
  private readonly readback: Readback;

  /** @param views the first of them holds the weights */
  constructor(
    private readonly gpu: Gpu,
    private readonly views: readonly SavedView[],
    private readonly regularizerState: () => Promise<unknown>,
  ) {
    this.readback = new Readback(
      gpu,
      'snapshot',
      views.reduce((sum, view) => sum + view.size, 0),
    );
  }

  get busy(): boolean {
    return this.readback.busy;
  }

  /** Name and bytes of every view: the label of its buffer, which a checkpoint keeps it under, so that the order may change. */
  get layout(): { name: string; size: number }[] {
    return this.views.map(({ name, size }) => ({ name, size }));
  }

  /** The state after everything submitted so far: the copies are queued before this returns. @throws Error while busy. */
  async take(step: number): Promise<Snapshot> {
    const regularizer = this.regularizerState();
    const encoder = this.gpu.device.createCommandEncoder({ label: 'snapshot' });
    this.readback.copyTo(encoder, this.placed());
    this.gpu.device.queue.submit([encoder.finish()]);
    const all = await this.readback.map();
    const cpu = await regularizer;
    let at = 0;
    const parts = this.views.map((view) => all.slice(at, (at += view.size)));
    return { step, parts, regularizer: cpu, finite: isFiniteArray(new Float32Array(parts[0]!)) };
  }

  /** Writes a snapshot back. @throws Error when it belongs to a run of another shape. */
  restore(snapshot: Snapshot): void {
    snapshot.parts.forEach((part, i) => {
      const view = this.views[i];
      if (view?.size !== part.byteLength) throw new Error('The snapshot belongs to another model.');
      for (const piece of view.pieces()) this.gpu.write(piece.view, new Uint8Array(part, piece.at, piece.view.size));
    });
  }

  /** Every piece, and where it lies in a snapshot. */
  private placed(): { view: View; at: number }[] {
    let from = 0;
    return this.views.flatMap((part) => {
      const pieces = part.pieces().map(({ view, at }) => ({ view, at: from + at }));
      from += part.size;
      return pieces;
    });
  }

  dispose(): void {
    this.readback.dispose();
  }
}

function isFiniteArray(values: Float32Array): boolean {
  // The sum of absolute values times zero is zero exactly when all are finite.
  let sum = 0;
  for (const value of values) sum += value * 0;
  return sum === 0;
}
