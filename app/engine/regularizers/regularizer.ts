import type { View } from '../gpu/buffers';
import type { Program, Recorder } from '../gpu/recorder';
import type { MatrixShape, MatrixStatus } from '../linalg/svdBatch';
import type { SavedView } from '../linalg/svdFactors';

/** A matrix that a regularizer acts on. */
export interface RegularizedMatrix extends MatrixShape {
  /** What Q3R leaves alone; from min(rows, cols) on it does not act. Hoyer has no use for it. */
  readonly targetRank: number;
  /** Multiplies λ for this matrix; 1 when absent. */
  readonly lambdaScale?: number;
}

export interface ApplyViews {
  /** StepState: λ. */
  readonly state: View;
  /** Arena of the parameters' layout, in a buffer of its own. */
  readonly out: View;
  readonly mode: 'write' | 'add';
  /** One f32: the value, summed over all matrices. */
  readonly value: View;
}

/**
 * What a step and its bookkeeping need of a regularizer: refreshed every few steps from the status of the refresh before,
 * applied every step.
 */
export interface Regularizer {
  /** State of every matrix, small: copied back after a refresh; `parseStatus` of it all goes into the next `nextRefresh`. */
  readonly statusViews: readonly View[];
  readonly matrices: readonly RegularizedMatrix[];
  /** Bytes on the GPU, a shared workspace not counted. */
  readonly bytes: number;
  build(): Promise<void>;
  /** Makes room for what the refresh by this status keeps, where it needs more than there is. @throws OutOfMemoryError */
  prepare?(status: readonly MatrixStatus[] | undefined): Promise<void>;
  nextRefresh(status: readonly MatrixStatus[] | undefined): Program;
  parseStatus(bytes: ArrayBuffer): MatrixStatus[];
  recordApply(recorder: Recorder, o: ApplyViews): void;
  /** Target ranks from the next refresh on, factors of λ at once; in the order of `matrices`. */
  tune(ranks: readonly number[], lambdaScales: readonly number[]): void;
  /** GPU buffers that make up the state: with `saveState`, what a run needs to continue bitwise. */
  readonly stateViews: readonly SavedView[];
  saveState(): unknown;
  restoreState(saved: unknown): void;
  reset(): void;
  dispose(): void;
}
