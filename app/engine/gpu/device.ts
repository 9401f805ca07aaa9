import { MATRIX_FEATURE, type MatrixUnit } from '../../../kernels/matmul/matmul';
import { BufferPool, OutOfMemoryError, STAGING, STORAGE, type View } from './buffers';
import { PipelineCache } from './pipelines';

export type GpuProblem = 'no-webgpu' | 'no-adapter' | 'no-device';

/** WebGPU cannot be used; `problem` says at which of the three gates it failed. */
export class GpuUnavailableError extends Error {
  constructor(
    readonly problem: GpuProblem,
    message: string,
  ) {
    super(message);
    this.name = 'GpuUnavailableError';
  }
}

/** The device went away (driver reset, GPU process gone, `destroy()`); every buffer of it is lost. */
export class DeviceLostError extends Error {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = 'DeviceLostError';
  }
}

export interface DeviceInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** A software rasteriser: kernels are chosen by measuring, and the nano preset is offered. */
  readonly software: boolean;
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly timestamps: boolean;
  /** Products of halves that a subgroup makes in one operation, the device's favourite first; none where the browser does not offer them. */
  readonly units: readonly MatrixUnit[];
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/** Raised only where the adapter offers more than WebGPU's defaults; kernels fit the defaults. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const;

/** What WebGPU's proposal adds to an adapter's description; not among the types yet. */
interface MatrixInfo {
  readonly subgroupMatrixConfigs?: Iterable<{ componentType: string; resultComponentType: string; M: number; N: number; K: number }>;
}

/** Subgroups of one size only: how many a workgroup has must be known when its kernel is written. */
function unitsOf(info: GPUAdapterInfo & MatrixInfo): MatrixUnit[] {
  const { subgroupMinSize: lanes, subgroupMaxSize } = info;
  if (lanes === undefined || lanes !== subgroupMaxSize) return [];
  return [...(info.subgroupMatrixConfigs ?? [])]
    .filter((c) => c.componentType === 'f16' && c.resultComponentType === 'f32')
    .map(({ M, N, K }) => ({ m: M, n: N, k: K, lanes }));
}

/** One open device with its buffers and pipelines. */
export class Gpu {
  readonly buffers: BufferPool;
  readonly pipelines: PipelineCache;
  /** Set once the device is gone. */
  lostReason: string | undefined;
  /** First uncaptured validation or internal error: a defect, reported to the page. */
  onError: ((message: string) => void) | undefined;

  private constructor(
    readonly device: GPUDevice,
    readonly info: DeviceInfo,
  ) {
    this.buffers = new BufferPool(device);
    this.pipelines = new PipelineCache(device);
    void device.lost.then((lost) => {
      this.lostReason = `${lost.reason}: ${lost.message || 'no reason given by the browser'}`;
    });
    device.addEventListener('uncapturederror', (event) => {
      this.onError?.(event.error.message);
    });
  }

  /** Opens the most powerful adapter. @throws GpuUnavailableError with the gate that failed. */
  static async open(gpu: GPU | undefined = globalThis.navigator?.gpu): Promise<Gpu> {
    if (!gpu) throw new GpuUnavailableError('no-webgpu', 'This browser has no WebGPU.');
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) throw new GpuUnavailableError('no-adapter', 'WebGPU is present, but no graphics adapter answered.');
    const wanted: GPUFeatureName[] = ['timestamp-query', 'subgroups', 'shader-f16', MATRIX_FEATURE];
    const requiredFeatures = wanted.filter((name) => adapter.features.has(name));
    const requiredLimits: Record<string, number> = {};
    for (const name of RAISED_LIMITS) requiredLimits[name] = adapter.limits[name];
    let device: GPUDevice;
    try {
      device = await adapter.requestDevice({ label: 'q3r', requiredFeatures, requiredLimits });
    } catch (error) {
      throw new GpuUnavailableError('no-device', `The graphics adapter refused to open a device: ${String(error)}`);
    }
    const { vendor, architecture, device: name, description } = adapter.info;
    const software = /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test([vendor, architecture, name, description].join(' '));
    return new Gpu(device, {
      vendor,
      architecture,
      device: name,
      description,
      software,
      f16: device.features.has('shader-f16'),
      subgroups: device.features.has('subgroups'),
      timestamps: device.features.has('timestamp-query'),
      units: device.features.has('shader-f16') && device.features.has(MATRIX_FEATURE) ? unitsOf(adapter.info) : [],
      maxBufferSize: device.limits.maxBufferSize,
      maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: device.limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: device.limits.maxComputeInvocationsPerWorkgroup,
    });
  }

  /**
   * Runs an allocation under an out-of-memory scope, which is closed before this returns: two guards at a time do not mix.
   * @throws OutOfMemoryError naming what was being allocated; what there was room for is freed
   */
  async guard<T>(label: string, allocate: () => T): Promise<T> {
    const before = this.buffers.liveBytes;
    const first = this.buffers.createdCount;
    this.device.pushErrorScope('out-of-memory');
    let outcome: Promise<GPUError | null>;
    let result: T;
    try {
      result = allocate();
    } catch (error) {
      this.buffers.freeCreated(first, this.buffers.createdCount);
      throw error;
    } finally {
      outcome = this.device.popErrorScope();
      outcome.catch(() => undefined);
    }
    const bytes = this.buffers.liveBytes - before;
    const last = this.buffers.createdCount;
    const error = await outcome;
    if (!error) return result;
    this.buffers.freeCreated(first, last);
    throw new OutOfMemoryError(label, bytes, error.message);
  }

  /** Copies CPU data into a view. */
  write(view: View, data: ArrayBufferView | ArrayBuffer, byteOffset = 0): void {
    const source = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    this.device.queue.writeBuffer(view.buffer, view.offset + byteOffset, source.buffer, source.byteOffset, source.byteLength);
  }

  /** A storage buffer holding `data`. */
  upload(label: string, data: ArrayBufferView): View {
    const view = this.buffers.allocate(label, data.byteLength, STORAGE);
    this.write(view, data);
    return view;
  }

  /** Reads a view back; waits for all submitted work. For set-up, tests and explicit reads, never inside the step loop. */
  async read(view: View): Promise<ArrayBuffer> {
    const staging = this.buffers.allocate('read', view.size, STAGING);
    try {
      const encoder = this.device.createCommandEncoder();
      encoder.copyBufferToBuffer(view.buffer, view.offset, staging.buffer, 0, view.size);
      this.device.queue.submit([encoder.finish()]);
      try {
        await staging.buffer.mapAsync(1);
      } catch (error) {
        throw new DeviceLostError(this.lostReason ?? 'unknown', `Reading from the GPU failed: ${String(error)}`);
      }
      return staging.buffer.getMappedRange(0, view.size).slice(0);
    } finally {
      this.buffers.free(staging);
    }
  }

  async readFloats(view: View): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(await this.read(view));
  }

  /** Resolves when everything submitted so far has run. */
  idle(): Promise<undefined> {
    return this.device.queue.onSubmittedWorkDone();
  }

  dispose(): void {
    this.buffers.freeAll();
    this.device.destroy();
  }
}
