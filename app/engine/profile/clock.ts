import { STAGING, type View } from '../gpu/buffers';
import { DeviceLostError, type Gpu } from '../gpu/device';
import { Program } from '../gpu/recorder';
import { secondsFor } from '../ops/timing';

const QUERY_RESOLVE = 512;
const COPY_SRC = 4;
/** Dispatches timed by one submit. */
const CHUNK = 256;
/** Estimated operations that one submit may hold. */
const SUBMIT_WORK = { software: 5e8, hardware: 2e10 };

/**
 * Times every dispatch of a program by the GPU's clock, each in a pass of its own, in its place and on its data. Browsers round the
 * clock to 0.1 ms at both ends of a pass: a single time may be off by as much, the mean of many is not. Owns its buffers.
 */
export class DispatchClock {
  private readonly queries: GPUQuerySet;
  private readonly resolved: View;
  private readonly staging: View;

  private constructor(private readonly gpu: Gpu) {
    this.queries = gpu.device.createQuerySet({ label: 'profile', type: 'timestamp', count: 2 * CHUNK });
    this.resolved = gpu.buffers.allocate('profile.timestamps', CHUNK * 16, QUERY_RESOLVE | COPY_SRC);
    this.staging = gpu.buffers.allocate('profile.timestamps.staging', CHUNK * 16, STAGING);
  }

  /** Undefined where the device has no timestamps. */
  static create(gpu: Gpu): DispatchClock | undefined {
    return gpu.info.timestamps ? new DispatchClock(gpu) : undefined;
  }

  /** Runs the program once. Milliseconds per dispatch. `step` is called before each submit and may throw to end it. */
  async time(program: Program, step: () => void): Promise<Float64Array> {
    const out = new Float64Array(program.length);
    const works = program.describe().map(({ work }) => work);
    const most = SUBMIT_WORK[this.gpu.info.software ? 'software' : 'hardware'];
    for (let from = 0; from < out.length;) {
      step();
      let to = from;
      for (let sum = 0; to < out.length && to < from + CHUNK && (to === from || sum + works[to]! <= most); to++) sum += works[to]!;
      out.set(await this.range(program, from, to), from);
      from = to;
    }
    return out;
  }

  private async range(program: Program, from: number, to: number): Promise<Float64Array> {
    const { gpu, queries: querySet, resolved, staging } = this;
    const encoder = gpu.device.createCommandEncoder({ label: 'profile' });
    for (let i = from; i < to; i++) {
      const at = 2 * (i - from);
      program.encode(encoder, () => ({ querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 }), i, i + 1);
    }
    const count = to - from;
    encoder.resolveQuerySet(querySet, 0, 2 * count, resolved.buffer, 0);
    encoder.copyBufferToBuffer(resolved.buffer, 0, staging.buffer, 0, 16 * count);
    gpu.device.queue.submit([encoder.finish()]);
    try {
      await staging.buffer.mapAsync(1, 0, 16 * count);
    } catch (error) {
      throw new DeviceLostError(gpu.lostReason ?? 'unknown', `Reading the clock of the GPU failed: ${String(error)}`);
    }
    const clock = new BigUint64Array(staging.buffer.getMappedRange(0, 16 * count));
    // Some drivers reset their clock between passes: a negative span is dropped.
    const ms = Float64Array.from({ length: count }, (_, i) => Math.max(0, Number(clock[2 * i + 1]! - clock[2 * i]!) / 1e6));
    staging.buffer.unmap();
    return ms;
  }

  dispose(): void {
    this.queries.destroy();
    this.gpu.buffers.free(this.resolved);
    this.gpu.buffers.free(this.staging);
  }
}

/**
 * The same without timestamps, by the wall clock: dispatches that `keys` calls alike are timed by the first of them, in its place in
 * the program and repeated until it can be measured, and all get its time. What a kernel changes in place it then changes many times.
 */
export async function timeByWall(gpu: Gpu, program: Program, keys: readonly string[], step: () => void): Promise<Float64Array> {
  const known = new Map<string, number>();
  const out = new Float64Array(program.length);
  for (let i = 0; i < out.length; i++) {
    const single = Program.sequence(gpu, 'profile', [{ program, from: i, to: i + 1 }]);
    let ms = known.get(keys[i]!);
    if (ms === undefined) {
      step();
      known.set(keys[i]!, (ms = 1000 * (await secondsFor(gpu, single, 2))));
    } else single.run();
    out[i] = ms;
  }
  await gpu.idle();
  return out;
}
