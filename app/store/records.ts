import type { StepRecord } from '../protocol/messages';
import { RECORD_WIDTH as WIDTH } from '../protocol/run/record';

/** Every step of the current run on the page's side, in one typed array outside React. */
export class Records {
  private runId = 0;
  private data = new Float64Array(1024 * WIDTH);
  private count = 0;

  /** A run's state: another run, or one back at step 0, has no records yet. */
  begin(runId: number, step: number): void {
    if (runId !== this.runId || step === 0) this.count = 0;
    this.runId = runId;
  }

  /** Takes rows of steps `from`, `from` + 1, …; what was known of these and later steps is replaced. Rows behind a gap are ignored. */
  append(runId: number, from: number, rows: Float64Array): void {
    if (runId !== this.runId) this.begin(runId, 0);
    if (from > this.count + 1) return;
    const end = from - 1 + rows.length / WIDTH;
    if (end * WIDTH > this.data.length) {
      const wider = new Float64Array(Math.max(end * WIDTH, this.data.length * 2));
      wider.set(this.data);
      this.data = wider;
    }
    this.data.set(rows, (from - 1) * WIDTH);
    this.count = end;
  }

  get length(): number {
    return this.count;
  }

  /** The packed rows of all steps as they lie; of no use after the next change. */
  rows(): Float64Array {
    return this.data.subarray(0, this.count * WIDTH);
  }

  /** The packed rows of all steps, a copy. */
  packed(): Float64Array {
    return this.data.slice(0, this.count * WIDTH);
  }

  all(): StepRecord[] {
    return Array.from({ length: this.count }, (_, i) => {
      const [epoch, loss, regularizer, accuracy, lr, gradNorm] = this.data.subarray(i * WIDTH, (i + 1) * WIDTH) as unknown as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      return { step: i + 1, epoch, loss, regularizer, accuracy, lr, gradNorm };
    });
  }
}

/** The records of the run on screen. */
export const records = new Records();
