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

/** Copies the run's state views into staging buffers made beforehand, one for each, and from there into worker memory. */
export class Snapshotter {
  private readonly readbacks: Readback[];

  /** @param views the first of them holds the weights */
  constructor(
    private readonly gpu: Gpu,
    private readonly views: readonly SavedView[],
    private readonly regularizerState: () => Promise<unknown>,
  ) {
    this.readbacks = views.map((part) => new Readback(gpu, 'snapshot', bytesOf(part)));
  }

  get busy(): boolean {
    return this.readbacks.some(({ busy }) => busy);
  }

  /** Name and bytes of every view: the label of its buffer, which a checkpoint keeps it under, so that the order may change. */
  get layout(): { name: string; size: number }[] {
    return this.views.map(({ name, size }) => ({ name, size }));
  }

  /** The state after everything submitted so far: the copies are queued before this returns. @throws Error while busy. */
  async take(step: number): Promise<Snapshot> {
    if (this.busy) throw new Error('the last snapshot is still being read back');
    const regularizer = this.regularizerState();
    const encoder = this.gpu.device.createCommandEncoder({ label: 'snapshot' });
    const takes = this.views.map((part, i) => {
      const pieces = part.pieces();
      const readback = this.readbackFor(i, bytesOf(part));
      readback.copy(encoder, ...pieces.map(({ view }) => view));
      return { part, pieces, readback };
    });
    this.gpu.device.queue.submit([encoder.finish()]);
    const parts = await Promise.all(
      takes.map(async ({ part, pieces, readback }) => {
        const data = await readback.map();
        if (data.byteLength === part.size) return data;
        const whole = new Uint8Array(part.size);
        let from = 0;
        for (const { view, at } of pieces) {
          whole.set(new Uint8Array(data, from, view.size), at);
          from += view.size;
        }
        return whole.buffer;
      }),
    );
    return { step, parts, regularizer: await regularizer, finite: isFiniteArray(new Float32Array(parts[0]!)) };
  }

  /** Another one where what is there of a view has grown. */
  private readbackFor(i: number, bytes: number): Readback {
    const old = this.readbacks[i]!;
    if (old.size >= bytes) return old;
    old.dispose();
    return (this.readbacks[i] = new Readback(this.gpu, 'snapshot', bytes));
  }

  /** Writes a snapshot back. @throws Error when it belongs to a run of another shape. */
  restore(snapshot: Snapshot): void {
    snapshot.parts.forEach((part, i) => {
      const view = this.views[i];
      if (view?.size !== part.byteLength) throw new Error('The snapshot belongs to another model.');
      for (const piece of view.pieces()) this.gpu.write(piece.view, new Uint8Array(part, piece.at, piece.view.size));
    });
  }

  dispose(): void {
    for (const readback of this.readbacks) readback.dispose();
  }
}

const bytesOf = (part: SavedView): number => part.pieces().reduce((sum, { view }) => sum + view.size, 0);

function isFiniteArray(values: Float32Array): boolean {
  // The sum of absolute values times zero is zero exactly when all are finite.
  let sum = 0;
  for (const value of values) sum += value * 0;
  return sum === 0;
}
