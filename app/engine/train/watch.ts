import type { MatrixSpectrum } from '../../protocol/messages';
import type { Emit } from './events';
import type { Run } from './run';

/** Least milliseconds between two looks at a run that goes on, and the share of the time that they may take. */
const INTERVAL = 250;
const SHARE = 0.08;

/** Shows the exact spectra of a run's weights, no more often than the run can afford. */
export class Watch {
  private at = 0;
  private cost = 0;
  private looking: Promise<void> | undefined;
  /** The step whose weights were shown last; −1 while there is none. */
  shown = -1;

  constructor(
    private readonly run: Run,
    private readonly runId: number,
    private readonly emit: Emit,
  ) {}

  /** The spectra of the weights after `step`, which is the last one submitted; also sent as an event. */
  async look(step: number, tolerance: 'fine' | 'coarse' = 'fine'): Promise<MatrixSpectrum[]> {
    const from = performance.now();
    const matrices = await this.run.spectra(tolerance);
    this.at = performance.now();
    this.cost = this.at - from;
    this.shown = step;
    this.emit({ type: 'spectra', runId: this.runId, step, matrices });
    return matrices;
  }

  /** A coarse look while the run goes on, when one is due and none is under way. */
  glance(step: number, onError: (error: unknown) => void): void {
    if (this.looking || performance.now() - this.at <= Math.max(INTERVAL, this.cost / SHARE)) return;
    this.looking = this.look(step, 'coarse').then(() => (this.looking = undefined), onError);
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.looking;
  }
}
