import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Readback } from '../gpu/readback';
import type { Program } from '../gpu/recorder';
import { StepTimer, type PhaseTimes } from '../gpu/timestamps';

/** Steps queued on the GPU at once: enough that it never waits for the CPU, few enough that a pause is felt at once. */
export const STEPS_IN_FLIGHT = 3;

/** What comes back from one submitted step. */
export interface Landed {
  /** Bytes of the observed views, one behind the other. */
  readonly data: ArrayBuffer;
  readonly times: PhaseTimes | null;
}

interface Slot {
  readonly readback: Readback;
  readonly timer: StepTimer | undefined;
  done: Promise<unknown>;
}

/** A ring of read-backs: submits programs and returns what they leave in a few small views, without stalling the queue. */
export class Flight {
  private readonly slots: Slot[] = [];
  private next = 0;

  constructor(
    private readonly gpu: Gpu,
    bytes: number,
    depth: number = STEPS_IN_FLIGHT,
  ) {
    for (let i = 0; i < depth; i++)
      this.slots.push({ readback: new Readback(gpu, `step${i}`, bytes), timer: StepTimer.create(gpu), done: Promise.resolve() });
  }

  /** Resolves when a step may be submitted. */
  async ready(): Promise<void> {
    await this.slots[this.next]!.done;
  }

  /** Resolves when nothing is in flight. */
  async drained(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.done));
  }

  /**
   * Encodes the programs one behind the other and copies `observe` back. With `parts` 1 all of it is one submit.
   * The promise rejects with DeviceLostError when the device goes away.
   */
  submit(programs: readonly Program[], observe: readonly View[], parts: number): Promise<Landed> {
    const slot = this.slots[this.next]!;
    this.next = (this.next + 1) % this.slots.length;
    const { device } = this.gpu;
    const timer = slot.timer?.begin();
    let encoder = device.createCommandEncoder({ label: 'step' });
    let first = true;
    for (const program of programs) {
      for (const [from, to] of program.split(parts)) {
        if (parts > 1 && !first) {
          device.queue.submit([encoder.finish()]);
          encoder = device.createCommandEncoder({ label: 'step' });
        }
        first = false;
        program.encode(encoder, timer, from, to);
      }
    }
    slot.timer?.finish(encoder);
    slot.readback.copy(encoder, ...observe);
    device.queue.submit([encoder.finish()]);
    const bytes = observe.reduce((sum, view) => sum + view.size, 0);
    const landed = Promise.all([slot.readback.map(bytes), slot.timer?.read() ?? null]).then(([data, times]): Landed => ({ data, times }));
    slot.done = landed.catch(() => undefined);
    return landed;
  }

  dispose(): void {
    for (const slot of this.slots) {
      slot.readback.dispose();
      slot.timer?.dispose();
    }
  }
}
