import type { Experiment } from '../../protocol/experiment';
import type { RunPhase } from '../../protocol/messages';

/** A grid that a run was made in. */
export interface RunGrid {
  readonly id: string;
  /** "λ × Target rank" */
  readonly name: string;
}

/** What the table says of a kept run; its record stays in the storage until it is asked for. */
export interface RunSummary {
  readonly id: string;
  readonly name: string;
  /** Begun, milliseconds since 1970. */
  readonly date: number;
  /** Name of the graphics device it was made on. */
  readonly device: string;
  readonly experiment: Experiment;
  readonly step: number;
  readonly totalSteps: number;
  readonly phase: RunPhase;
  readonly elapsedMs: number;
  /** Of the last validation, a share in [0, 1]; null before the first. */
  readonly accuracy: number | null;
  /** With a fifth of the targeted parameters kept, a share in [0, 1]; null where it was not measured. */
  readonly accuracyCut: number | null;
  /** Σ σ² past the target ranks over Σ σ² of all matrices of the newest spectra; null before the first. */
  readonly tail: number | null;
  /** At most 40 smoothed losses, evenly spaced. */
  readonly losses: readonly number[];
  readonly pinned: boolean;
  /** Series colour, dash and marker: 2 to 8. */
  readonly style: number;
  readonly parent: string | null;
  /** Of the stored record, about. */
  readonly bytes: number;
  /** Came from a file. */
  readonly imported: boolean;
  /** Name of the checkpoints of the run that this browser keeps; null where none was told of. */
  readonly checkpoint: string | null;
  /** Absent for a run of its own. */
  readonly grid?: RunGrid;
}

export type RunColumn = 'name' | 'step' | 'loss' | 'accuracy' | 'accuracyCut' | 'tail' | 'date';

/** The runs that this browser keeps, and how they are listed. */
export interface RunsSlice {
  /** Newest first. */
  runs: readonly RunSummary[];
  /** The one on screen; null before its first step. */
  runHere: string | null;
  /** Why some runs are kept for this visit only; null where the browser stores them. */
  runsUnstored: string | null;
  /** Taken off the table a moment ago; gone for good when the time for Undo is over. */
  runsDeleted: readonly RunSummary[];
  runSort: { readonly column: RunColumn; readonly down: boolean };
  /** Grids whose runs are listed one by one. */
  runGridsOpen: readonly string[];
  /** The large view of the table is open. */
  runsOpen: boolean;
  /** The two runs whose difference is shown. */
  runsDiffer: readonly [string, string] | null;
  /** A run whose settings are about to be started again with one change, and what the form showed before. */
  runFork: {
    readonly id: string;
    readonly name: string;
    readonly from: Experiment;
    readonly before: { readonly experiment: Experiment; readonly preset: string };
  } | null;
}

export const runsSlice = (): RunsSlice => ({
  runs: [],
  runHere: null,
  runsUnstored: null,
  runsDeleted: [],
  runSort: { column: 'date', down: true },
  runGridsOpen: [],
  runsOpen: false,
  runsDiffer: null,
  runFork: null,
});
