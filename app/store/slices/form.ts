import { defaultExperiment, type Experiment } from '../../protocol/experiment';
import { NO_LOCKS, type Locks } from '../../protocol/locks';
import type { PlanReport } from '../../protocol/messages';

/** What the form shows, and what it would need. */
export interface FormSlice {
  /** Always valid: a value that is not stays in its control, with a message, and never gets here. */
  experiment: Experiment;
  /** Key of the preset that "changes" are counted against. */
  preset: string;
  /** Plan of `experiment`; the last good one while a newer is on its way. */
  plan: PlanReport | null;
  /** Why the worker cannot plan `experiment`. */
  planError: { readonly field: string; readonly message: string } | null;
  /** A change that would end the run, waiting for the visitor's answer. */
  ask: { readonly next: Experiment; readonly preset: string; readonly what: string } | null;
  /** What the link of the page took away; set once, and never given back while the page is open. */
  locks: Locks;
  /** The experiment of that link: what locked settings stay at, and what resetting brings back. Null without locks. */
  lockBase: Experiment | null;
}

export const formSlice = (): FormSlice => ({
  experiment: defaultExperiment(),
  preset: 'nano',
  plan: null,
  planError: null,
  ask: null,
  locks: NO_LOCKS,
  lockBase: null,
});
