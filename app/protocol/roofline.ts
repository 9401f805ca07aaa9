import type { Experiment } from './experiment';

/** Parts of a step; `svd` is the refresh of the singular vectors, `q3r` what acts on every step. */
export const STEP_PARTS = ['forward', 'backward', 'optimizer', 'q3r', 'svd'] as const;
export type StepPart = (typeof STEP_PARTS)[number];

/** All dispatches of a step that run one kernel for one purpose, in every block. */
export interface KernelFigures {
  readonly part: StepPart;
  /** What it computes, `blocks.*.mlp.fc1.dWeight`. */
  readonly name: string;
  /** The kernel's own name, `matmul/q8x4/tn444`. */
  readonly kernel: string;
  /** In a step; in the `svd` part, in one refresh. */
  readonly dispatches: number;
  /** Mean time in a step; of a refresh its share of one step, here and below. */
  readonly milliseconds: number;
  /** By formula: operations, and bytes with every operand read once and every result written once. */
  readonly flops: number;
  readonly bytes: number;
  /** False where no formula is known: `flops` is then an estimate, and `bytes` everything that is bound. */
  readonly counted: boolean;
}

/** The most that the device was seen to do in f32, 10⁹ operations and 10⁹ bytes per second. */
export interface Peaks {
  readonly gflops: number;
  readonly gbps: number;
}

/** Where each kernel of a training step stands on this device. */
export interface RooflineReport {
  readonly device: string;
  readonly software: boolean;
  /** ISO 8601. */
  readonly date: string;
  readonly experiment: Experiment;
  readonly peaks: Peaks;
  /** `timestamps`: the GPU's clock around each dispatch of real steps. `wall`: repeated dispatches. */
  readonly clock: 'timestamps' | 'wall';
  /** Steps that were timed. */
  readonly rounds: number;
  /** Steps from one refresh to the next; null where nothing is decomposed. */
  readonly refreshEvery: number | null;
  /** The same step in one piece, with its share of a refresh: wall-clock milliseconds. */
  readonly stepMilliseconds: number;
  /** False where the data set is not on the GPU: the step then begins with a batch that is there. */
  readonly gathered: boolean;
  readonly kernels: readonly KernelFigures[];
}

/** Part of CommandMap. */
export interface RooflineCommands {
  /**
   * Measures the device and a step of the experiment on a model of its own, timing steps for so many `seconds` (2.5), at least two of
   * them. A run that goes on waits. Fails with AbortError when it is cancelled.
   */
  roofline: { args: { experiment: Experiment; seconds?: number }; reply: RooflineReport };
  cancelRoofline: { args: Record<never, never>; reply: void };
}

/** How far a measurement is; `share` is 0 to 1. */
export interface RooflineEvent {
  readonly type: 'roofline';
  readonly stage: string;
  readonly share: number;
}

/** Operations per byte from which arithmetic is the limit, not memory. */
export const ridge = ({ gflops, gbps }: Peaks): number => gflops / gbps;
/** 10⁹ operations per second that the roof allows at so many operations per byte. */
export const roofAt = ({ gflops, gbps }: Peaks, intensity: number): number => Math.min(gflops, intensity * gbps);

export interface KernelRates {
  /** Share of the time of all kernels, 0 to 1. */
  readonly share: number;
  readonly gflops: number;
  readonly gbps: number;
  /** Operations per byte. */
  readonly intensity: number;
  /** Share of what the roof allows there; of the bandwidth where nothing is computed. NaN without a time. */
  readonly ofRoof: number;
}

/** Time of all kernels in a step, milliseconds. */
export const kernelTime = (kernels: readonly KernelFigures[]): number => kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);

/** What follows from the figures of a kernel; `total` is `kernelTime` of all. */
export function ratesOf({ milliseconds, flops, bytes }: KernelFigures, peaks: Peaks, total: number): KernelRates {
  const gflops = flops / milliseconds / 1e6;
  const gbps = bytes / milliseconds / 1e6;
  const intensity = bytes > 0 ? flops / bytes : 0;
  const ofRoof = intensity > 0 ? gflops / roofAt(peaks, intensity) : gbps / peaks.gbps;
  const timed = milliseconds > 0;
  return {
    share: total > 0 ? milliseconds / total : 0,
    gflops: timed ? gflops : NaN,
    gbps: timed ? gbps : NaN,
    intensity,
    ofRoof: timed ? ofRoof : NaN,
  };
}

/** Sum over kernels, as one. */
export const sumOf = (part: StepPart, kernels: readonly KernelFigures[]): KernelFigures =>
  kernels.reduce(
    (sum, k) => ({
      ...sum,
      dispatches: sum.dispatches + k.dispatches,
      milliseconds: sum.milliseconds + k.milliseconds,
      flops: sum.flops + k.flops,
      bytes: sum.bytes + k.bytes,
      counted: sum.counted && k.counted,
    }),
    { part, name: part, kernel: '', dispatches: 0, milliseconds: 0, flops: 0, bytes: 0, counted: true },
  );
