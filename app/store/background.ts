import { applyReport } from './events';
import { copyMemory, newMemory, noteReport, onScreen } from './memory';
import { runSlice } from './slices/run';
import { truncationSlice } from './slices/truncation';
import type { AppState } from './store';
import type { Report } from './workerClient';

/** What belongs to a run and the visitor's look at it, and comes back with it. */
const KEYS = [
  ...(Object.keys(runSlice()) as (keyof AppState)[]),
  ...(Object.keys(truncationSlice()) as (keyof AppState)[]),
  ...(['experiment', 'preset', 'plan', 'planError', 'selected', 'wallView', 'keptHere', 'scrub', 'zoom', 'liveBytes', 'stages'] as const),
];

/** The worker's run while a recording is on screen: it hears what the worker still has to say, and comes back as it then is. */
export class Background {
  private readonly memory = newMemory();

  constructor(private state: AppState) {
    copyMemory(onScreen, this.memory, state.runId);
  }

  get runId(): number {
    return this.state.runId;
  }

  take(report: Report): void {
    noteReport(this.memory, report, this.state.runId);
    this.state = { ...this.state, ...applyReport(this.state, report) };
  }

  /** The worker is gone, and its run with it. */
  fail(): void {
    if (this.state.phase === 'running' || this.state.phase === 'preparing') this.state = { ...this.state, phase: 'failed' };
  }

  /** Puts the run's steps, spectra and times back, and returns its part of the state. Dense runs seen meanwhile stay known. */
  restore(now: AppState): Partial<AppState> {
    copyMemory(this.memory, onScreen, this.state.runId);
    const back = Object.fromEntries(KEYS.map((key) => [key, this.state[key]])) as Partial<AppState>;
    return { ...back, denseRuns: { ...this.state.denseRuns, ...now.denseRuns } };
  }
}
