import type { StepRecord } from '../protocol/messages';
import { RECORD_FIELDS, RECORD_WIDTH as WIDTH } from '../protocol/run/record';
import type { Columns } from '../protocol/run/series';

type Field = (typeof RECORD_FIELDS)[number];

/** Every step of the current run on the page's side, one typed array a field, outside React. */
export class Records {
  private runId = 0;
  private capacity = 1024;
  private data = columnsFor(this.capacity);
  private count = 0;
  private back = 0;

  /** A run's state: another run, or one back at step 0, has no records yet. */
  begin(runId: number, step: number): void {
    if (runId !== this.runId || step === 0) this.forget(0);
    this.runId = runId;
  }

  /** Takes rows of steps `from`, `from` + 1, …; what was known of these and later steps is replaced. Rows behind a gap are ignored. */
  append(runId: number, from: number, rows: Float64Array): void {
    if (runId !== this.runId) this.begin(runId, 0);
    if (from > this.count + 1) return;
    if (from <= this.count) this.forget(from - 1);
    const added = rows.length / WIDTH;
    this.reserve(from - 1 + added);
    RECORD_FIELDS.forEach((field, c) => {
      const column = this.data[field];
      for (let i = 0; i < added; i++) column[from - 1 + i] = rows[i * WIDTH + c]!;
    });
    this.count = from - 1 + added;
  }

  get length(): number {
    return this.count;
  }

  /** Counts how often known steps were replaced or forgotten: together with `length`, it tells whether there is anything new. */
  get changes(): number {
    return this.back;
  }

  /** All steps by field, as `seriesOf` takes them: no copy, valid until the next `append`. */
  columns(): Columns & { readonly epoch: ArrayLike<number>; readonly gradNorm: ArrayLike<number> } {
    return { ...this.data, length: this.count };
  }

  /** The packed rows of all steps, a copy. */
  packed(): Float64Array {
    const out = new Float64Array(this.count * WIDTH);
    RECORD_FIELDS.forEach((field, c) => {
      const column = this.data[field];
      for (let i = 0; i < this.count; i++) out[i * WIDTH + c] = column[i]!;
    });
    return out;
  }

  all(): StepRecord[] {
    const { epoch, loss, regularizer, accuracy, lr, gradNorm } = this.data;
    return Array.from({ length: this.count }, (_, i) => ({
      step: i + 1,
      epoch: epoch[i]!,
      loss: loss[i]!,
      regularizer: regularizer[i]!,
      accuracy: accuracy[i]!,
      lr: lr[i]!,
      gradNorm: gradNorm[i]!,
    }));
  }

  private forget(step: number): void {
    if (step < this.count) this.back++;
    this.count = Math.min(this.count, step);
  }

  private reserve(steps: number): void {
    if (steps <= this.capacity) return;
    this.capacity = Math.max(steps, this.capacity * 2);
    const wider = columnsFor(this.capacity);
    for (const field of RECORD_FIELDS) wider[field].set(this.data[field]);
    this.data = wider;
  }
}

const columnsFor = (capacity: number): Record<Field, Float64Array> =>
  Object.fromEntries(RECORD_FIELDS.map((field) => [field, new Float64Array(capacity)])) as Record<Field, Float64Array>;

/** The records of the run on screen. */
export const records = new Records();
