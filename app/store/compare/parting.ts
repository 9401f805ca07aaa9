import { RECORD_WIDTH } from '../../protocol/run/record';

const LOSS = 1;

/** How far two runs have been compared, and where they part. */
export interface Parting {
  /** Steps that both have made and that were compared: all of them, or those up to the parting. */
  readonly compared: number;
  /** The first step whose losses differ in any bit; null while all are equal. */
  readonly step: number | null;
}

export const NOT_COMPARED: Parting = { compared: 0, step: null };

/**
 * Compares the exact losses of two runs as packed rows of their steps from 1 on. Goes on from `before`, what was found for the same two
 * runs when they were shorter. The loss of step n is of the weights before its update: a difference shows one step after its cause.
 */
export function parting(a: Float64Array, b: Float64Array, before: Parting = NOT_COMPARED): Parting {
  if (before.step !== null) return before;
  const both = Math.min(a.length, b.length) / RECORD_WIDTH;
  for (let step = before.compared + 1; step <= both; step++) {
    const at = (step - 1) * RECORD_WIDTH + LOSS;
    if (!Object.is(a[at], b[at])) return { compared: step, step };
  }
  return { compared: Math.max(before.compared, both), step: null };
}
