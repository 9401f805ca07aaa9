import type { CheckpointCommands, CheckpointEvent } from './checkpoint';
import type { Experiment, DatasetName } from './experiment';
import type { InspectionCommands } from './inspection';
import type { RooflineCommands, RooflineEvent } from './roofline';
import type { CutBy, CutChoice, TruncationReport } from './truncation';

/** One optimizer step, as `window.q3r.history()` returns it. Values are those before the step's update. */
export interface StepRecord {
  /** Counted from 1. */
  step: number;
  epoch: number;
  loss: number;
  /** Σ λ⟨W, R(W)⟩, or λ times the Hoyer value, over all regularized matrices or factors; 0 where nothing regularizes. */
  regularizer: number;
  /** Share of the batch classified correctly, in [0, 1]. */
  accuracy: number;
  lr: number;
  /** Global norm of the gradient before clipping; infinite where it overflowed half precision, and the step was skipped. */
  gradNorm: number;
  /** What the loss was multiplied by for the backward pass; only with mixed precision. No figure here has it in. */
  lossScale?: number;
}

/** A matrix the wall shows: a whole weight, or the Q, K or V rows of a qkv weight. */
export type MatrixKind = 'q' | 'k' | 'v' | 'qkv' | 'proj' | 'fc1' | 'fc2' | 'head' | 'patch_embed';

/** What is known of a matrix before a run starts. */
export interface MatrixPlan {
  /** Golden-file style: `blocks.0.attn.qkv.weight[0]`, `blocks.0.mlp.fc1.weight`. */
  readonly name: string;
  /** Block index; −1 for head and patch embedding. */
  readonly block: number;
  readonly kind: MatrixKind;
  readonly rows: number;
  readonly cols: number;
  readonly targetRank: number;
  /**
   * True when a regularizer acts on this matrix itself: targeted, not left out, and with Q3R a target rank below min(rows, cols).
   * False for a product of factors: the operators, if any, act on those.
   */
  readonly regularized: boolean;
  /** Rows [from, to) of its weight, for a slice that an override made a matrix of its own. */
  readonly slice?: readonly [number, number];
  /** Factor of λ; 1 when absent. */
  readonly lambdaScale?: number;
  /** An override says something of it. */
  readonly overridden?: boolean;
  /** Targeted, but an override leaves it out. */
  readonly off?: boolean;
  /** What is trained in its place, first factor first; absent where the matrix itself is trained. */
  readonly factors?: readonly FactorPlan[];
}

/** A trained factor of a weight matrix. */
export interface FactorPlan {
  /** `blocks.0.mlp.fc1.weight.lorita.1`, `….lora.A`. */
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  /** Of the operator on it; min(rows, cols) where none acts. */
  readonly targetRank: number;
  readonly regularized: boolean;
}

export interface MatrixSpectrum extends MatrixPlan {
  /** All min(rows, cols) singular values, descending. */
  readonly sigma: Float32Array;
  /** Smoothing parameter; NaN where the matrix is not regularized. */
  readonly epsilon: number;
  /** Number of σ > ε at the last refresh; 0 where not regularized. */
  readonly envelopeRank: number;
  /** Columns of the sketch at the last refresh; min(rows, cols) when exact; 0 where not regularized. */
  readonly sketch: number;
  /** Estimated ‖W V − U Σ‖_F / ‖W‖_F of the last refresh, a measure of the subspace's error; 0 when exact. */
  readonly residual: number;
  /** e^H, H the entropy of σ/Σσ. */
  readonly effectiveRank: number;
  /** ‖W‖²_F / σ₁². */
  readonly stableRank: number;
  /** Σ σ² up to the target rank over Σ σ². The tail's energy share is 1 minus it. */
  readonly tailRatio: number;
  /** This matrix's part of the regularizer's value: λ Σ min(σ, ε)² for Q3R; 0 where not regularized. */
  readonly value: number;
}

export interface DeviceReport {
  /** Name to show, such as "Apple M2 Pro" or "SwiftShader (software)". */
  readonly name: string;
  readonly software: boolean;
  readonly features: readonly string[];
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  /** Measured f32 GEMM rate of the fastest kernel variant, GFLOP/s. */
  readonly gflops: number;
  /** Name of the GEMM variant chosen by measuring. */
  readonly matmulVariant: string;
  /** Key of the preset suited to the measured speed. */
  readonly preset: string;
}

/** What an experiment will need, before it starts. */
export interface PlanReport {
  readonly parameters: number;
  /** Bytes on the GPU by role. */
  readonly bytes: {
    readonly weights: number;
    readonly optimizer: number;
    readonly activations: number;
    readonly q3r: number;
    readonly data: number;
    /** Of the run by itself. */
    readonly total: number;
    /** More, from the first truncation on. */
    readonly truncation: number;
  };
  /**
   * Bytes of what a step keeps for its backward pass: without and with `train.recompute`, and in either `train.precision`, the other
   * setting as it is; null where the model does not fit that.
   */
  readonly activations: { readonly kept: number; readonly recomputed: number; readonly f32: number; readonly mixed: number | null };
  readonly matrices: readonly MatrixPlan[];
  readonly stepsPerEpoch: number;
  /** Estimated from measured speed; null before calibration. */
  readonly secondsPerEpoch: number | null;
  /** Absent when it fits. */
  readonly refusal?: { readonly reason: string; readonly nearest: Experiment; readonly nearestText: string };
}

export interface DatasetInfo {
  readonly name: DatasetName;
  readonly label: string;
  readonly synthetic: boolean;
  readonly trainCount: number;
  readonly testCount: number;
  readonly imageSize: number;
  readonly channels: number;
  readonly classes: readonly string[];
  /** Training images of each class. */
  readonly classCounts: readonly number[];
  /** Where it came from: `drawn`, `cache`, `site`, `huggingface`, `files`. */
  readonly origin: string;
  readonly bytes: number;
  /** False when the browser refused to store it; then it is asked for again next time. */
  readonly cached: boolean;
}

export type FaultKind =
  | 'no-webgpu'
  | 'no-adapter'
  | 'no-device'
  | 'device-lost'
  | 'out-of-memory'
  | 'non-finite'
  | 'storage-quota'
  | 'worker-crash'
  | 'data'
  | 'internal';

/** Something went wrong; the page shows what happened, what is kept and what to do. */
export interface Fault {
  readonly kind: FaultKind;
  readonly message: string;
  /** Exact technical text for the copyable report. */
  readonly detail: string;
  readonly step?: number;
  /** First tensor with a value that is not finite, and how many such values it has. */
  readonly tensor?: string;
  readonly badCount?: number;
  /** Step of the last good snapshot, if one exists. */
  readonly snapshotStep?: number;
  /** Learning rate that the page offers for going back. */
  readonly suggestedLr?: number;
  readonly gradNorm?: number;
}

export type RunPhase = 'idle' | 'preparing' | 'running' | 'paused' | 'finished' | 'failed';

export interface Timing {
  /** Wall-clock milliseconds per step, mean of the last 32 at most. */
  readonly msPerStep: number;
  readonly imagesPerSecond: number;
  /** GPU milliseconds per step by part; null where the device has no timestamps. */
  readonly split: { readonly forward: number; readonly backward: number; readonly optimizer: number; readonly q3r: number } | null;
}

/** One line of the preparation list. */
export interface Stage {
  readonly label: string;
  readonly detail: string;
  readonly state: 'done' | 'active' | 'waiting';
}

/** Decimated columns of a run for the charts: at most 400 points, the last one always the newest step. */
export interface Series {
  readonly runId: number;
  readonly step: Float64Array;
  readonly loss: Float32Array;
  /** Lowest and highest raw loss within each point's interval. */
  readonly lossMin: Float32Array;
  readonly lossMax: Float32Array;
  /** Debiased exponential average of the full data. */
  readonly lossSmooth: Float32Array;
  readonly accuracySmooth: Float32Array;
  readonly regularizer: Float32Array;
  readonly lr: Float32Array;
  readonly evalStep: Float64Array;
  readonly evalLoss: Float32Array;
  readonly evalAccuracy: Float32Array;
}

/** A setting, or the loss scale, changed while the run went on: from the step after `step` on. */
export interface Mark {
  readonly step: number;
  readonly field: string;
  readonly from: number;
  readonly to: number;
}

export interface Batch {
  /** [B, C, H, W], already normalised. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
}
export interface SvdOptions {
  /** Leading triplets wanted; all of them when absent. */
  readonly rank?: number;
  readonly exact?: boolean;
  readonly oversample?: number;
  readonly powerIterations?: number;
  /** False takes the sketch as it is after those iterations and the pass that finds its range, however large its error. */
  readonly refine?: boolean;
}
export interface Svd {
  /** rows × k, row-major. */
  readonly u: Float32Array;
  readonly s: Float32Array;
  /** cols × k, row-major. */
  readonly v: Float32Array;
}
export interface Q3rOptions {
  readonly targetRank: number;
  readonly lambda: number;
  /** Smoothing parameter before the refresh; 1e8 at the start of a run. */
  readonly epsilon: number;
  readonly epsilonSchedule?: 'default' | 'constant' | 'exploration';
  readonly epsilonN?: number;
  /** Matrix the operator is applied to; the anchor itself when absent. */
  readonly x?: Matrix;
}
export interface Q3rResult {
  readonly value: number;
  readonly gradient: Float32Array;
  readonly epsilon: number;
  readonly envelopeRank: number;
  readonly sigma: Float32Array;
}

/** λ = 1. */
export interface HoyerResult {
  readonly value: number;
  readonly gradient: Float32Array;
  readonly sigma: Float32Array;
}
/** y = x Wᵀ + bias with W = F_N … F_1, and the gradients of Σ gradOut ∘ y. */
export interface LoritaOptions {
  /** [B, in]. */
  readonly x: Matrix;
  /** F_1 … F_N: all but the last [in, in], the last [out, in]. */
  readonly factors: readonly Matrix[];
  /** [out]; zero when absent. */
  readonly bias?: Float32Array;
  /** [B, out]; zero when absent. */
  readonly gradOut?: Matrix;
}
export interface LoritaResult {
  /** W, out × in. */
  readonly merged: Float32Array;
  readonly y: Float32Array;
  readonly dx: Float32Array;
  readonly dFactors: Float32Array[];
  readonly dBias: Float32Array;
}
/** y = (alpha / r) x A B, and the gradients of Σ gradOut ∘ y. */
export interface LoraOptions {
  /** [B, in]. */
  readonly x: Matrix;
  /** [in, r]. */
  readonly a: Matrix;
  /** [r, out]. */
  readonly b: Matrix;
  readonly alpha: number;
  /** [B, out]; zero when absent. */
  readonly gradOut?: Matrix;
}
export interface LoraResult {
  /** W, out × in. */
  readonly merged: Float32Array;
  readonly y: Float32Array;
  readonly dx: Float32Array;
  readonly dA: Float32Array;
  readonly dB: Float32Array;
}

/** Commands and the value each is answered with. */
export interface CommandMap extends CheckpointCommands, InspectionCommands, RooflineCommands {
  /** Opens the device and measures it; answered once, before anything else. With `keep: false`, runs are not kept in the browser's storage. */
  init: { args: { baseUrl: string; keep?: boolean }; reply: DeviceReport };
  plan: { args: { experiment: Experiment }; reply: PlanReport };
  /** Compiles ahead of a start that will probably come; silent. */
  warm: { args: { experiment: Experiment }; reply: void };
  /** Makes the experiment current. Live fields change a running run; any other difference ends it and starts from step 0. */
  configure: { args: { experiment: Experiment }; reply: PlanReport };
  /** Trains until paused, finished or, with `steps`, exactly that many steps. Answered when the first step is under way. */
  start: { args: { steps?: number }; reply: void };
  pause: { args: Record<never, never>; reply: void };
  /** With `turn`, more steps follow at once: the spectra are not watched, which else closes a run that pauses. */
  step: { args: { count: number; turn?: boolean }; reply: StepRecord[] };
  reset: { args: { seed?: number }; reply: void };
  history: { args: Record<never, never>; reply: StepRecord[] };
  evaluate: { args: Record<never, never>; reply: { loss: number; accuracy: number; count: number } };
  spectra: { args: Record<never, never>; reply: MatrixSpectrum[] };
  exportWeights: { args: Record<never, never>; reply: Uint8Array };
  importWeights: { args: { bytes: Uint8Array }; reply: void };
  gradients: { args: { batch: Batch }; reply: Uint8Array };
  trainOn: { args: { batch: Batch }; reply: StepRecord };
  /** With `cut`, by the truncated model. */
  predict: { args: { images: Float32Array; cut?: CutChoice }; reply: Float32Array };
  /** Truncates at each share and evaluates on the first `count` test images. Not `fresh`: weights a moment old will do in a run. */
  truncate: { args: { values: number[]; by: CutBy; count?: number; fresh?: boolean }; reply: TruncationReport };
  exportFactored: { args: { cut: CutChoice }; reply: Uint8Array };
  svd: { args: { matrix: Matrix; options: SvdOptions }; reply: Svd };
  q3r: { args: { matrix: Matrix; options: Q3rOptions }; reply: Q3rResult };
  matmul: { args: { a: Matrix; b: Matrix; transA: boolean; transB: boolean }; reply: Float32Array };
  hoyer: { args: { matrix: Matrix; square: boolean }; reply: HoyerResult };
  lorita: { args: { options: LoritaOptions }; reply: LoritaResult };
  lora: { args: { options: LoraOptions }; reply: LoraResult };
  loadDataset: { args: { name: DatasetName; refresh?: boolean }; reply: DatasetInfo };
  /** Which set the files belong to, they say themselves, unless `as` does; `chosen` decides where they could be several. */
  loadFiles: { args: { files: { name: string; blob: Blob }[]; as?: DatasetName; chosen: DatasetName }; reply: DatasetInfo };
  cancelLoad: { args: Record<never, never>; reply: void };
  /** Training images of a data set as RGBA pixels, for previews. */
  samples: {
    args: { name: DatasetName; count: number };
    reply: { width: number; height: number; images: Uint8ClampedArray[]; labels: number[] };
  };
  /** Batch number `draw` (from 0) of `count` training images, shuffled and augmented as a run of the experiment has them, as RGBA. */
  preview: {
    args: { name: DatasetName; count: number; draw: number; experiment: Experiment };
    reply: { width: number; height: number; images: Uint8ClampedArray[]; labels: number[] };
  };
  /** Back to the last good snapshot, with another learning rate. */
  rollback: { args: { lr: number }; reply: void };
  /** Chart smoothing, 0 (none) to 0.99. */
  view: { args: { smoothing: number }; reply: void };
  /** `stagingBytes` are the part of `liveBytes` through which the CPU reads, in the computer's own memory and in no plan. */
  memory: { args: Record<never, never>; reply: { liveBytes: number; stagingBytes: number; liveBuffers: number; createdBuffers: number } };
  /** Provokes a failure, for tests: the device is destroyed, or the worker throws. */
  provoke: { args: { fault: 'device-lost' | 'worker-crash' | 'storage-quota' | 'out-of-memory' }; reply: void };
}
export type CommandType = keyof CommandMap;
export type Command = { [K in CommandType]: { type: K; id: number } & CommandMap[K]['args'] }[CommandType];

/** A failed command. `field` is set for a ConfigError. */
export interface ErrorReply {
  readonly name: string;
  readonly message: string;
  readonly field?: string;
  readonly fault?: Fault;
}

/** Run events carry the run they belong to; the page drops those of an older run. */
export type Event =
  | { type: 'reply'; id: number; ok: true; value: unknown }
  | { type: 'reply'; id: number; ok: false; error: ErrorReply }
  | { type: 'stages'; stages: Stage[]; progress: number }
  | {
      type: 'state';
      runId: number;
      phase: RunPhase;
      step: number;
      totalSteps: number;
      elapsedMs: number;
      liveBytes: number;
      message?: string;
    }
  | { type: 'timing'; runId: number; step: number; timing: Timing }
  /** `rows` are the packed records of the steps from `from` on that the page does not have yet; see store/records.ts. */
  | { type: 'series'; runId: number; series: Series; latest: StepRecord; from: number; rows: Float64Array }
  | { type: 'evaluation'; runId: number; step: number; loss: number; accuracy: number; count: number }
  | { type: 'spectra'; runId: number; step: number; matrices: MatrixSpectrum[] }
  /** A truncation under way or ended: `done` of `total` shares are in the report; `total` is 0 when it was given up. */
  | { type: 'truncation'; runId: number; step: number; report: TruncationReport; done: number; total: number }
  | { type: 'mark'; runId: number; mark: Mark }
  | { type: 'experiment'; runId: number; experiment: Experiment }
  | { type: 'dataset'; info: DatasetInfo }
  | {
      type: 'dataProgress';
      name: DatasetName;
      stage: string;
      bytes: number;
      totalBytes: number;
      bytesPerSecond: number;
      images: number;
      totalImages: number;
    }
  | CheckpointEvent
  | RooflineEvent
  | { type: 'notice'; level: 'info' | 'warn'; message: string }
  | { type: 'fault'; fault: Fault };
