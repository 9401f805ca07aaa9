import type { KernelSpec } from '../../../kernels/spec';

export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** A shader did not compile: a defect of ours or of the driver, never of the visitor's input. */
export class ShaderError extends Error {
  constructor(
    readonly kernel: string,
    detail: string,
  ) {
    super(`The kernel ${kernel} does not compile on this device: ${detail}`);
    this.name = 'ShaderError';
  }
}

const COMPUTE = 4;

/** Compiles each (kernel, constants) pair once per device and reports progress while it does. */
export class PipelineCache {
  private readonly cache = new Map<string, Promise<Compiled>>();
  private started = 0;
  private finished = 0;
  /** Called whenever a compilation starts or ends. */
  onProgress: ((finished: number, started: number) => void) | undefined;

  constructor(private readonly device: GPUDevice) {}

  get(spec: KernelSpec, constants: Readonly<Record<string, number>> = {}): Promise<Compiled> {
    const all = { ...spec.constants, ...constants };
    const key = `${spec.name}|${Object.keys(all)
      .sort()
      .map((name) => `${name}=${all[name]}`)
      .join(',')}`;
    let compiled = this.cache.get(key);
    if (!compiled) {
      this.started++;
      this.onProgress?.(this.finished, this.started);
      compiled = this.compile(spec, all).finally(() => {
        this.finished++;
        this.onProgress?.(this.finished, this.started);
      });
      this.cache.set(key, compiled);
    }
    return compiled;
  }

  private async compile(spec: KernelSpec, constants: Record<string, number>): Promise<Compiled> {
    const { device } = this;
    const entries: GPUBindGroupLayoutEntry[] = [];
    if (spec.params.length > 0) entries.push({ binding: 0, visibility: COMPUTE, buffer: { type: 'uniform' } });
    spec.bindings.forEach((binding) => {
      const type = binding.access === 'read' ? 'read-only-storage' : 'storage';
      entries.push({ binding: entries.length, visibility: COMPUTE, buffer: { type } });
    });
    // The scope keeps a compile error out of the device's uncaptured errors: it is thrown below, with its source.
    device.pushErrorScope('validation');
    const layout = device.createBindGroupLayout({ label: spec.name, entries });
    const module = device.createShaderModule({ label: spec.name, code: spec.code });
    void device.popErrorScope().catch(() => null);
    try {
      const pipeline = await device.createComputePipelineAsync({
        label: spec.name,
        layout: device.createPipelineLayout({ label: spec.name, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main', constants },
      });
      return { pipeline, layout };
    } catch (error) {
      const info = await module.getCompilationInfo();
      const text = info.messages
        .filter((message) => message.type === 'error')
        .map((message) => `${message.lineNum}:${message.linePos} ${message.message}\n${sourceLine(spec.code, message.lineNum)}`)
        .join('\n');
      throw new ShaderError(spec.name, text || String(error));
    }
  }
}

function sourceLine(code: string, line: number): string {
  return code
    .split('\n')
    .slice(Math.max(0, line - 3), line + 1)
    .map((text, i) => `  ${Math.max(1, line - 2) + i}| ${text}`)
    .join('\n');
}
