import type { RunRecord } from '../../protocol/run/record';

/** A kept run that is drawn beside the run on screen. */
export interface ShownRun {
  readonly record: RunRecord;
  /** Which of the series colours, with its dash and marker: 2 to 8; the run on screen has 1. */
  readonly style: number;
}

/** What lies over the run on screen. */
export interface ShownSlice {
  /** At most seven, in the order of the table. */
  shown: readonly ShownRun[];
}

export const shownSlice = (): ShownSlice => ({ shown: [] });
