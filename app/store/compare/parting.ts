import type { Columns } from '../../protocol/run/series';

/** How far two runs have been compared, and where they part. */
export interface Parting {
  /** Steps that both have made and that were compared: all of them, or those up to the parting. */
  readonly compared: number;
  /** The first step whose losses differ in any bit; null while all are equal. */
  readonly step: number | null;
}

export const NOT_COMPARED: Parting = { compared: 0, step: null };

/**
 * Compares the exact losses of two runs step by step. Goes on from `before`, what was found for the same two
 * runs when they were shorter. The loss of step n is of the weights before its update: a difference shows one step after its cause.
 */
export function parting(a: Pick<Columns, 'length' | 'loss'>, b: Pick<Columns, 'length' | 'loss'>, before: Parting = NOT_COMPARED): Parting {
  if (before.step !== null) return before;
  const both = Math.min(a.length, b.length);
  for (let step = before.compared + 1; step <= both; step++) {
    if (!Object.is(a.loss[step - 1], b.loss[step - 1])) return { compared: step, step };
  }
  return { compared: Math.max(before.compared, both), step: null };
}
