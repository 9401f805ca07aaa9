/** A range of a GPU buffer, in bytes. `offset` is a multiple of 256 where the range is bound to a kernel. */
export interface View {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Storage-buffer bindings start at multiples of this many bytes (WebGPU's default limit). */
export const BINDING_ALIGNMENT = 256;

/** Rounds a byte count up to the binding alignment. */
export const alignBytes = (bytes: number, to: number = BINDING_ALIGNMENT): number => Math.ceil(bytes / to) * to;

export class OutOfMemoryError extends Error {
  constructor(
    readonly label: string,
    readonly bytes: number,
    cause: string,
  ) {
    super(`The GPU has no ${(bytes / 2 ** 20).toFixed(1)} MiB left for ${label}: ${cause}`);
    this.name = 'OutOfMemoryError';
  }
}

/**
 * Creates and counts every buffer of a device, so that tests can prove that a steady-state step allocates nothing and
 * that a disposed run leaves no byte behind.
 */
export class BufferPool {
  /** Bytes of each, and which in the order of their creation, from 1. */
  private live = new Map<GPUBuffer, { readonly size: number; readonly number: number }>();
  private bytes = 0;
  private staging = 0;
  private created = 0;
  private exchanged = 0;
  /** Live bytes beyond which `allocate` refuses; unlimited unless set. Lets a test run out of memory without doing so. */
  budget = Infinity;

  constructor(private readonly device: GPUDevice) {}

  /** Bytes of all buffers not yet destroyed. */
  get liveBytes(): number {
    return this.bytes;
  }
  /** The part of them in buffers that the CPU reads from, which browsers keep in the computer's own memory. */
  get stagingBytes(): number {
    return this.staging;
  }
  get liveCount(): number {
    return this.live.size;
  }
  /** Buffers created since the device was opened; never decreases. */
  get createdCount(): number {
    return this.created;
  }

  /**
   * Allocates at least `bytes` bytes (zero-filled) and returns the whole of it as a view; the caller frees it with `free`.
   * Out-of-memory is reported by the device's error scope: see `Gpu.guard`.
   */
  allocate(label: string, bytes: number, usage: GPUBufferUsageFlags = STORAGE, mappedAtCreation = false): View {
    const size = Math.max(16, alignBytes(bytes, 16));
    const { maxBufferSize } = this.device.limits;
    if (size > maxBufferSize)
      throw new OutOfMemoryError(label, size, `one buffer holds at most ${(maxBufferSize / 2 ** 20).toFixed(0)} MiB here`);
    if (this.bytes + size > this.budget)
      throw new OutOfMemoryError(label, size, `${(this.budget / 2 ** 20).toFixed(0)} MiB is all there is`);
    const buffer = this.device.createBuffer({ label, size, usage, mappedAtCreation });
    this.created++;
    this.live.set(buffer, { size, number: this.created });
    this.bytes += size;
    if (usage & USAGE.MAP_READ) this.staging += size;
    return { buffer, offset: 0, size };
  }

  /** Destroys the buffer behind a view; a second call does nothing. */
  free(view: View): void {
    const known = this.live.get(view.buffer);
    if (!known) return;
    this.live.delete(view.buffer);
    this.bytes -= known.size;
    if (view.buffer.usage & USAGE.MAP_READ) this.staging -= known.size;
    view.buffer.destroy();
  }

  /**
   * Puts `fresh`, a whole buffer, in the place of `view`'s: whoever holds that view object uses the new one from then on, recorded programs
   * included. What was in the old buffer is the caller's to copy before; it is freed, after what is submitted.
   */
  exchange(view: View, fresh: View): void {
    const old = { ...view };
    Object.assign(view, fresh);
    this.exchanged++;
    this.free(old);
  }
  /** Exchanges so far: a program looks for exchanged buffers when this has changed. */
  get exchanges(): number {
    return this.exchanged;
  }

  freeAll(): void {
    this.freeCreated(0, this.created);
  }

  /** Destroys what is left of the buffers that were created while `createdCount` went from `from` to `to`. */
  freeCreated(from: number, to: number): void {
    for (const [buffer, { number }] of [...this.live]) if (number > from && number <= to) this.free({ buffer, offset: 0, size: 0 });
  }
}

/** Views of one piece of work, which go together. */
export class OwnedViews {
  private readonly views: View[] = [];

  constructor(private readonly buffers: BufferPool) {}

  /** Takes a view over, and returns it. */
  own(view: View): View {
    this.views.push(view);
    return view;
  }

  dispose(): void {
    for (const view of this.views.splice(0)) this.buffers.free(view);
  }
}

const USAGE = { COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128, MAP_READ: 1, INDIRECT: 256 } as const;
/** Usage of an ordinary tensor: bindable, readable back, writable from the CPU. */
export const STORAGE: GPUBufferUsageFlags = USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST;
export const UNIFORM: GPUBufferUsageFlags = USAGE.UNIFORM | USAGE.COPY_DST;
export const STAGING: GPUBufferUsageFlags = USAGE.MAP_READ | USAGE.COPY_DST;

/** A sub-range of a view, counted in 4-byte elements from its start. */
export function slice(view: View, firstElement: number, elements: number): View {
  return { buffer: view.buffer, offset: view.offset + firstElement * 4, size: elements * 4 };
}
