import type { Stage } from '../../protocol/messages';
import type { Emit } from './events';

/** The list of stages that the page shows while a run is being prepared; silent work before it is only counted. */
export class Preparation {
  private shown: Stage[] | undefined;
  private due = false;
  private compiled: readonly [number, number] = [0, 0];

  constructor(private readonly emit: Emit) {}

  /** From here until `end`, compilations are shown. */
  begin(device: string): void {
    if (this.shown) return;
    this.shown = [{ label: 'Device found', detail: device, state: 'done' }];
    this.onCompile(...this.compiled);
  }

  /** Adds a finished stage. */
  done(label: string, detail: string): void {
    this.shown?.push({ label, detail, state: 'done' });
  }

  /** Compilations start in bursts: one report for all that changes in a turn. */
  onCompile(finished: number, started: number): void {
    this.compiled = [finished, started];
    if (!this.shown || this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      if (this.shown) this.report(this.shown, ...this.compiled);
    });
  }

  private report(shown: readonly Stage[], finished: number, started: number): void {
    this.stages(
      [
        ...shown,
        { label: 'Compiling shaders', detail: `${finished} of ${started}`, state: 'active' },
        { label: 'First step', detail: '', state: 'waiting' },
      ],
      started > 0 ? 0.2 + (0.7 * finished) / started : 0.2,
    );
  }

  stages(stages: Stage[], progress: number): void {
    this.emit({ type: 'stages', stages, progress });
  }

  end(): void {
    this.shown = undefined;
  }
}
