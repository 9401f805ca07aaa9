import type { Experiment } from '../experiment';
import type { Mark, MatrixSpectrum, RunPhase } from '../messages';
import type { CutCurves } from '../truncation';

/** One validation after `step`. */
export interface RunEvaluation {
  readonly step: number;
  readonly loss: number;
  /** Share of the test images classified correctly, in [0, 1]. */
  readonly accuracy: number;
  readonly count: number;
}

/** All spectra of a run after `step`. */
export interface SpectraFrame {
  readonly step: number;
  readonly matrices: readonly MatrixSpectrum[];
}

/** Where a run was made. */
export interface RunOrigin {
  /** Name of the graphics device. */
  readonly device: string;
  readonly software: boolean;
  /** Version of the page. */
  readonly version: string;
  /** Training images of one epoch. */
  readonly trainCount: number;
}

/**
 * All that is kept of a run but its weights: what charts, wall, scrubber, table and replay need. The value that the browser keeps, that
 * a run file holds, and that is drawn beside the run on screen.
 */
export interface RunRecord {
  /** Unique among all runs of all visitors. */
  readonly id: string;
  readonly name: string;
  /** Begun, milliseconds since 1970. */
  readonly date: number;
  readonly origin: RunOrigin;
  /** As it stood at the end: `marks` tell what changed on the way. */
  readonly experiment: Experiment;
  /** The run that this one was made from by one change. */
  readonly parent: string | null;
  readonly phase: RunPhase;
  /** Steps made. */
  readonly step: number;
  readonly totalSteps: number;
  readonly elapsedMs: number;
  readonly marks: readonly Mark[];
  /** Packed steps from 1 on, `RECORD_FIELDS` each. */
  readonly rows: Float64Array;
  /** Pairs of a step and the milliseconds of training until then, ascending; thinned. */
  readonly clock: Float64Array;
  readonly evaluations: readonly RunEvaluation[];
  /** Ascending, thinned to `MAX_FRAMES`; the last is the newest. */
  readonly frames: readonly SpectraFrame[];
  readonly curves: CutCurves;
}

/** Values of one step in packed form, in this order; the step is the row's number, from 1. */
export const RECORD_FIELDS = ['epoch', 'loss', 'regularizer', 'accuracy', 'lr', 'gradNorm'] as const;
export const RECORD_WIDTH = RECORD_FIELDS.length;

/** Most spectra of a run that are kept: more than the columns of any heat map, and few enough for memory. */
export const MAX_FRAMES = 240;
