import { ceilDiv, packParams, type Grid, type KernelSpec } from '../../../kernels/spec';
import { BINDING_ALIGNMENT, UNIFORM, alignBytes, type View } from './buffers';
import type { Gpu } from './device';
import type { Compiled } from './pipelines';

/** Parts of a training step whose time is measured apart. */
export type Phase = 'forward' | 'backward' | 'optimizer' | 'q3r' | 'other';

export interface DispatchOptions {
  readonly params?: Readonly<Record<string, number>>;
  /** One view per storage binding of the spec, in its order. */
  readonly buffers: readonly View[];
  /** Number of workgroups. */
  readonly grid: Grid;
  readonly constants?: Readonly<Record<string, number>>;
  /** Estimated floating-point operations; long programs are cut into several submits by it. */
  readonly work?: number;
  readonly label?: string;
}

interface Entry {
  readonly spec: KernelSpec;
  readonly options: DispatchOptions;
  readonly phase: Phase;
}
/** What a dispatch of a program is, for whoever counts or times them; nothing runs by it. */
export interface DispatchInfo {
  /** Name of the kernel's spec. */
  readonly kernel: string;
  readonly label: string;
  readonly phase: Phase;
  readonly params: Readonly<Record<string, number>>;
  readonly constants: Readonly<Record<string, number>>;
  /** The storage bindings in the spec's order, with the bytes bound. */
  readonly operands: readonly { readonly name: string; readonly access: 'read' | 'readwrite'; readonly bytes: number }[];
  /** The recorder's estimate of the operations. */
  readonly work: number;
}
interface Step {
  readonly entry: Entry;
  readonly pipeline: GPUComputePipeline;
  /** Present buffers of the views it binds. */
  readonly bind: () => GPUBindGroup;
  /** The buffers that `group` binds. */
  bound: readonly GPUBuffer[];
  group: GPUBindGroup;
  readonly grid: Grid;
  readonly phase: Phase;
  readonly work: number;
  readonly label: string;
}

/** Collects dispatches in execution order; `build` turns them into a program with prebuilt pipelines and bind groups. */
export class Recorder {
  private readonly entries: Entry[] = [];
  private phase: Phase = 'other';

  constructor(
    readonly gpu: Gpu,
    readonly label: string,
  ) {}

  /** The phase of all dispatches recorded from here on. */
  setPhase(phase: Phase): this {
    this.phase = phase;
    return this;
  }

  get length(): number {
    return this.entries.length;
  }

  /** Appends one dispatch. @throws Error when buffers do not match the spec or a grid is too large. */
  dispatch(spec: KernelSpec, options: DispatchOptions): this {
    const where = `${this.label}: ${options.label ?? spec.name}`;
    if (options.buffers.length !== spec.bindings.length)
      throw new Error(`${where}: ${options.buffers.length} buffers for ${spec.bindings.length} bindings`);
    options.buffers.forEach((view, i) => {
      if (view.offset % BINDING_ALIGNMENT !== 0)
        throw new Error(`${where}: ${spec.bindings[i]?.name} starts at ${view.offset}, not a multiple of ${BINDING_ALIGNMENT}`);
    });
    const limit = this.gpu.device.limits.maxComputeWorkgroupsPerDimension;
    if (options.grid.some((n) => n > limit || n < 0 || !Number.isInteger(n)))
      throw new Error(`${where}: grid ${options.grid.join('×')} is not within ${limit}`);
    this.entries.push({ spec, options, phase: this.phase });
    return this;
  }

  /**
   * Allocates one uniform buffer for all parameters, before it returns, and compiles what is not yet compiled: a program may be
   * compiled late without allocating late. The recorder may be dropped. @throws ShaderError
   */
  async build(): Promise<Program> {
    const { gpu, entries } = this;
    const packed = entries.map((e) => (e.spec.params.length > 0 ? packParams(e.spec.params, e.options.params ?? {}) : undefined));
    let bytes = 0;
    const offsets = packed.map((data) => {
      const at = bytes;
      if (data) bytes += alignBytes(data.byteLength);
      return at;
    });
    const uniforms = bytes > 0 ? gpu.buffers.allocate(`${this.label}.params`, bytes, UNIFORM) : undefined;
    if (uniforms) {
      const all = new Uint8Array(uniforms.size);
      packed.forEach((data, i) => data && all.set(new Uint8Array(data), offsets[i]));
      gpu.device.queue.writeBuffer(uniforms.buffer, 0, all);
    }
    let compiled: Compiled[];
    try {
      compiled = await Promise.all(entries.map((e) => gpu.pipelines.get(e.spec, e.options.constants)));
    } catch (error) {
      if (uniforms) gpu.buffers.free(uniforms);
      throw error;
    }
    const steps = entries.map((entry, i): Step => {
      const { pipeline, layout } = compiled[i]!;
      const data = packed[i];
      const { buffers } = entry.options;
      const bind = (): GPUBindGroup => {
        const resources: GPUBindingResource[] = [];
        if (data && uniforms) resources.push({ buffer: uniforms.buffer, offset: offsets[i], size: data.byteLength });
        for (const { buffer, offset, size } of buffers) resources.push({ buffer, offset, size });
        return gpu.device.createBindGroup({
          label: entry.options.label ?? entry.spec.name,
          layout,
          entries: resources.map((resource, binding) => ({ binding, resource })),
        });
      };
      return {
        entry,
        pipeline,
        bind,
        bound: buffers.map(({ buffer }) => buffer),
        group: bind(),
        grid: entry.options.grid,
        phase: entry.phase,
        work: entry.options.work ?? 0,
        label: entry.options.label ?? entry.spec.name,
      };
    });
    return new Program(gpu, this.label, steps, uniforms);
  }
}

/** Timestamp slots for one phase of a program: written at the start and the end of that phase's passes. */
export type PassTimer = (phase: Phase) => GPUComputePassTimestampWrites | undefined;

export interface ProgramPart {
  readonly program: Program;
  readonly from?: number;
  readonly to?: number;
  readonly grid?: (index: number) => Grid | undefined;
}

/** A fixed list of dispatches, ready to be encoded any number of times; owns its uniform buffer. */
export class Program {
  /** Exchanges of buffers that its bind groups know of. */
  private exchanges = -1;

  constructor(
    private readonly gpu: Gpu,
    readonly label: string,
    private readonly steps: readonly Step[],
    private readonly uniforms: View | undefined,
  ) {}

  /**
   * One program that runs ranges of others in order, any range any number of times. It shares their pipelines and bind
   * groups, allocates nothing on the GPU, and is valid as long as they are. `grid` gives dispatch i another number of workgroups.
   */
  static sequence(gpu: Gpu, label: string, parts: readonly ProgramPart[]): Program {
    return new Program(
      gpu,
      label,
      parts.flatMap(({ program, from = 0, to, grid }) => {
        const steps = program.steps.slice(from, to);
        return grid ? steps.map((step, i) => ({ ...step, grid: grid(from + i) ?? step.grid })) : steps;
      }),
      undefined,
    );
  }

  get length(): number {
    return this.steps.length;
  }
  /** What the dispatches are, in order. */
  describe(): DispatchInfo[] {
    return this.steps.map(({ entry: { spec, options }, phase, label, work }) => ({
      kernel: spec.name,
      label,
      phase,
      params: options.params ?? {},
      constants: { ...spec.constants, ...options.constants },
      operands: spec.bindings.map(({ name, access }, i) => ({ name, access, bytes: options.buffers[i]!.size })),
      work,
    }));
  }
  /** Sum of the dispatches' estimated operations. */
  get work(): number {
    return this.steps.reduce((sum, step) => sum + step.work, 0);
  }

  /** Encodes dispatches [from, to) as compute passes, one pass for each run of equal phases. */
  encode(encoder: GPUCommandEncoder, timer?: PassTimer, from = 0, to = this.steps.length): void {
    const { exchanges } = this.gpu.buffers;
    if (exchanges !== this.exchanges) this.bindAnew();
    this.exchanges = exchanges;
    let pass: GPUComputePassEncoder | undefined;
    let phase: Phase | undefined;
    let pipeline: GPUComputePipeline | undefined;
    for (let i = from; i < to; i++) {
      const step = this.steps[i]!;
      if (!pass || step.phase !== phase) {
        pass?.end();
        phase = step.phase;
        pipeline = undefined;
        pass = encoder.beginComputePass({ label: `${this.label}.${phase}`, timestampWrites: timer?.(phase) });
      }
      if (step.pipeline !== pipeline) pass.setPipeline((pipeline = step.pipeline));
      pass.setBindGroup(0, step.group);
      pass.dispatchWorkgroups(step.grid[0], step.grid[1], step.grid[2]);
    }
    pass?.end();
  }

  private bindAnew(): void {
    for (const step of this.steps) {
      const { buffers } = step.entry.options;
      if (buffers.every(({ buffer }, i) => buffer === step.bound[i])) continue;
      step.bound = buffers.map(({ buffer }) => buffer);
      step.group = step.bind();
    }
  }

  /** Cut points that divide the program into `parts` ranges of about equal work (dispatches count a little, too). */
  split(parts: number): readonly (readonly [number, number])[] {
    const n = this.steps.length;
    if (parts <= 1 || n <= 1) return [[0, n]];
    const floor = Math.max(1, this.work / n / 10);
    const total = this.steps.reduce((sum, step) => sum + step.work + floor, 0);
    const out: [number, number][] = [];
    let from = 0;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      sum += this.steps[i]!.work + floor;
      if (sum >= (total * (out.length + 1)) / parts || i === n - 1) {
        out.push([from, i + 1]);
        from = i + 1;
      }
    }
    return out;
  }

  /** Encodes and submits the whole program at once; for set-up work and tests. */
  run(parts = 1): void {
    for (const [from, to] of this.split(parts)) {
      const encoder = this.gpu.device.createCommandEncoder({ label: this.label });
      this.encode(encoder, undefined, from, to);
      this.gpu.device.queue.submit([encoder.finish()]);
    }
  }

  dispose(): void {
    if (this.uniforms) this.gpu.buffers.free(this.uniforms);
  }
}

/** Workgroups needed for `count` threads. */
export const groupsFor = (count: number, size: number): number => ceilDiv(count, size);

/** Estimated operations that one submit may hold: about 0.1 s on a slow device of the kind. */
const SUBMIT_WORK = { software: 5e8, hardware: 5e9 };
/** Submits into which a program should be cut, so that none holds the device for long; by its estimated work. */
export const submitsFor = (gpu: Gpu, program: Program): number =>
  Math.max(1, Math.ceil(program.work / (gpu.info.software ? SUBMIT_WORK.software : SUBMIT_WORK.hardware)));
