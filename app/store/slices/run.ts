import type { Experiment } from '../../protocol/experiment';
import type { Mark, MatrixSpectrum, RunPhase, Series, StepRecord, Timing } from '../../protocol/messages';
import type { CutCurves } from './truncation';

export interface Evaluation {
  readonly step: number;
  readonly loss: number;
  /** Share of the test images classified correctly, in [0, 1]. */
  readonly accuracy: number;
  readonly count: number;
}

export interface Spectra {
  readonly step: number;
  readonly matrices: readonly MatrixSpectrum[];
}

/** The last dense run whose matrices have the same names and shapes as those of the run on screen. */
export interface Baseline extends Spectra {
  /** "Dense AdamW, step 2 000" */
  readonly label: string;
  readonly experiment: Experiment;
  readonly series: Series | null;
  /** Its truncation curves, as far as they were measured. */
  readonly curves: CutCurves;
}

/** The run under way, as the worker reports it. */
export interface RunSlice {
  /** Counts the runs of this visit from 1; 0 before the first. Events of an older run are dropped. */
  runId: number;
  phase: RunPhase;
  /** What the run uses; null before the first run. */
  running: Experiment | null;
  step: number;
  totalSteps: number;
  elapsedMs: number;
  timing: Timing | null;
  series: Series | null;
  latest: StepRecord | null;
  marks: readonly Mark[];
  evaluation: Evaluation | null;
  spectra: Spectra | null;
  /** Drawn as a grey ghost behind the run. */
  baseline: Baseline | null;
  /** Dense runs of this visit by the signature of their matrices, see `signature`. */
  denseRuns: Readonly<Record<string, Baseline>>;
}

export const runSlice = (): RunSlice => ({
  runId: 0,
  phase: 'idle',
  running: null,
  step: 0,
  totalSteps: 0,
  elapsedMs: 0,
  timing: null,
  series: null,
  latest: null,
  marks: [],
  evaluation: null,
  spectra: null,
  baseline: null,
  denseRuns: {},
});

/** Equal exactly for runs whose spectra can be laid over each other. */
export const signature = (matrices: readonly { name: string; rows: number; cols: number }[]): string =>
  matrices.map((m) => `${m.name}:${m.rows}x${m.cols}`).join(' ');
