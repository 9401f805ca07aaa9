import type { DeviceReport } from '../../protocol/messages';
import { presetFor } from '../../protocol/presets';
import { Gpu } from '../gpu/device';
import { describeMatmul } from '../ops/matmul';
import { FaultError, type Emit } from './events';
import type { Preparation } from './preparation';
import { deviceName, rememberedTuning, type Tuning } from './tuning';

/** How often a lost device is asked for again, and how long to wait in between, milliseconds. */
const REOPEN = [0, 500, 1500, 4000];

/** The GPU device of a session, and what was measured on it; tells when it is lost, and opens another. */
export class DeviceDesk {
  /** Absent before it is opened, and after it was lost. */
  gpu: Gpu | undefined;
  private measured: Tuning | undefined;

  constructor(
    private readonly emit: Emit,
    private readonly preparation: Preparation,
    /** Called once for each device that goes away. */
    private readonly onLost: (reason: string) => void,
  ) {}

  /** @throws FaultError while there is none, here and below */
  get required(): Gpu {
    if (!this.gpu)
      throw new FaultError({ kind: 'no-device', message: 'The graphics device is not open.', detail: 'init has not succeeded' });
    return this.gpu;
  }
  get tuning(): Tuning {
    if (!this.measured)
      throw new FaultError({ kind: 'no-device', message: 'The graphics device is not measured.', detail: 'init has not succeeded' });
    return this.measured;
  }

  /** Opens and measures the device. @throws GpuUnavailableError */
  async init(): Promise<DeviceReport> {
    this.preparation.stages([{ label: 'Opening the graphics device', detail: '', state: 'active' }], 0);
    await this.open();
    const { info } = this.required;
    this.preparation.stages(
      [
        { label: 'Device found', detail: deviceName(info), state: 'done' },
        { label: 'Measuring which kernels are fastest here', detail: '', state: 'active' },
      ],
      0.3,
    );
    const tuning = (this.measured = await rememberedTuning(this.required));
    this.preparation.stages([], 1);
    const features = [info.f16 && 'f16', info.subgroups && 'subgroups', info.timestamps && 'timestamps'].filter((f) => f !== false);
    return {
      name: deviceName(info),
      software: info.software,
      features,
      maxBufferSize: info.maxBufferSize,
      maxStorageBufferBindingSize: info.maxStorageBufferBindingSize,
      gflops: tuning.gflops,
      matmulVariant: describeMatmul(tuning, { m: 2048, n: 256, k: 256, transB: true }).variant,
      preset: presetFor(tuning.gflops, info.software),
    };
  }

  private async open(): Promise<void> {
    const gpu = await Gpu.open();
    gpu.onError = (message) => {
      // What a lost device still complains about is explained by its loss.
      if (gpu.lostReason !== undefined || this.gpu !== gpu) return;
      this.emit({
        type: 'fault',
        fault: { kind: 'internal', message: 'The graphics device rejected a command; this is a defect of the page.', detail: message },
      });
    };
    gpu.pipelines.onProgress = (finished, started) => this.preparation.onCompile(finished, started);
    this.gpu = gpu;
    void gpu.device.lost.then((lost) => {
      if (this.gpu === gpu) this.onLost(lost.message || lost.reason);
    });
  }

  /** Asks for a device again and again, with pauses; false when none could be had. */
  async reopen(): Promise<boolean> {
    for (const wait of REOPEN) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        await this.open();
        return true;
      } catch {
        continue;
      }
    }
    return false;
  }
}
