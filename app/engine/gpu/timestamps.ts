import { STAGING, type View } from './buffers';
import { DeviceLostError, type Gpu } from './device';
import type { PassTimer, Phase } from './recorder';

const QUERY_RESOLVE = 512;
const COPY_SRC = 4;
/**
 * Passes that can be timed within one step; a step with more is timed as far as they go. A batch in 256 parts has 512 passes, and
 * every cut into submits adds one.
 */
export const MAX_PASSES = 1024;

/** Sums of GPU time by phase, milliseconds. */
export type PhaseTimes = Readonly<Record<Phase, number>>;

/** GPU clock readings around the passes of one step; one of these per step in flight. */
export class StepTimer {
  private readonly querySet: GPUQuerySet;
  private readonly resolved: View;
  private readonly staging: View;
  private used: Phase[] = [];

  private constructor(private readonly gpu: Gpu) {
    this.querySet = gpu.device.createQuerySet({ label: 'step', type: 'timestamp', count: MAX_PASSES * 2 });
    this.resolved = gpu.buffers.allocate('timestamps', MAX_PASSES * 16, QUERY_RESOLVE | COPY_SRC);
    this.staging = gpu.buffers.allocate('timestamps.staging', MAX_PASSES * 16, STAGING);
  }

  /** Undefined where the device has no timestamps. */
  static create(gpu: Gpu): StepTimer | undefined {
    return gpu.info.timestamps ? new StepTimer(gpu) : undefined;
  }

  begin(): PassTimer {
    this.used = [];
    return (phase) => {
      const i = this.used.length;
      if (i >= MAX_PASSES) return undefined;
      this.used.push(phase);
      return { querySet: this.querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
    };
  }

  /** Encodes the resolve and the copy; call after the last timed pass. */
  finish(encoder: GPUCommandEncoder): void {
    const bytes = this.used.length * 16;
    if (bytes === 0) return;
    encoder.resolveQuerySet(this.querySet, 0, this.used.length * 2, this.resolved.buffer, 0);
    encoder.copyBufferToBuffer(this.resolved.buffer, 0, this.staging.buffer, 0, bytes);
  }

  async read(): Promise<PhaseTimes> {
    const times: Record<Phase, number> = { forward: 0, backward: 0, optimizer: 0, q3r: 0, other: 0 };
    const bytes = this.used.length * 16;
    if (bytes === 0) return times;
    try {
      await this.staging.buffer.mapAsync(1, 0, bytes);
    } catch (error) {
      throw new DeviceLostError(this.gpu.lostReason ?? 'unknown', `Reading the clock of the GPU failed: ${String(error)}`);
    }
    const clock = new BigUint64Array(this.staging.buffer.getMappedRange(0, bytes));
    this.used.forEach((phase, i) => {
      // Some drivers reset their clock between passes: a negative span is dropped.
      const span = Number(clock[2 * i + 1]! - clock[2 * i]!) / 1e6;
      if (span > 0) times[phase] += span;
    });
    this.staging.buffer.unmap();
    return times;
  }

  dispose(): void {
    this.querySet.destroy();
    this.gpu.buffers.free(this.resolved);
    this.gpu.buffers.free(this.staging);
  }
}
