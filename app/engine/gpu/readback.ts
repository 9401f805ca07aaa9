import { STAGING, type View } from './buffers';
import { DeviceLostError, type Gpu } from './device';

/** A preallocated staging buffer: copies are encoded behind the work they observe, and mapped later without stalling the queue. */
export class Readback {
  private readonly staging: View;
  private pending = false;

  constructor(
    private readonly gpu: Gpu,
    private readonly label: string,
    bytes: number,
  ) {
    this.staging = gpu.buffers.allocate(`${label}.staging`, bytes, STAGING);
  }

  get busy(): boolean {
    return this.pending;
  }
  get size(): number {
    return this.staging.size;
  }

  /** Encodes copies of the views, one behind the other; `map` must follow the submit. @throws Error while an earlier copy is pending. */
  copy(encoder: GPUCommandEncoder, ...views: readonly View[]): void {
    if (this.pending) throw new Error(`${this.label}: the last read-back is still under way`);
    let at = 0;
    for (const view of views) {
      encoder.copyBufferToBuffer(view.buffer, view.offset, this.staging.buffer, at, view.size);
      at += view.size;
    }
    this.pending = true;
  }

  /** The copied bytes, once the GPU has written them. @throws DeviceLostError when it never will. */
  async map(bytes: number = this.staging.size): Promise<ArrayBuffer> {
    try {
      await this.staging.buffer.mapAsync(1, 0, Math.min(this.staging.size, Math.ceil(bytes / 8) * 8));
      const out = this.staging.buffer.getMappedRange(0, Math.min(this.staging.size, Math.ceil(bytes / 8) * 8)).slice(0, bytes);
      this.staging.buffer.unmap();
      return out;
    } catch (error) {
      throw new DeviceLostError(this.gpu.lostReason ?? 'unknown', `${this.label}: reading from the GPU failed: ${String(error)}`);
    } finally {
      this.pending = false;
    }
  }

  dispose(): void {
    this.gpu.buffers.free(this.staging);
  }
}
