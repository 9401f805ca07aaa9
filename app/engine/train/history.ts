import type { Series, StepRecord } from '../../protocol/messages';
import { RECORD_WIDTH } from '../../protocol/run/record';
import { seriesOf } from '../../protocol/run/series';

const COLUMNS = ['loss', 'regularizer', 'accuracy', 'lr', 'gradNorm', 'epoch'] as const;
type Column = (typeof COLUMNS)[number];

/** One validation: mean loss and the share of test images classified correctly, after `step`. */
export interface Evaluation {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** Every step of a run in typed arrays, outside any UI, and its decimation for the charts. */
export class History {
  private capacity = 1024;
  private data: Record<Column, Float64Array>;
  /** Steps recorded; step k is at index k − 1. */
  length = 0;
  private readonly evals: Evaluation[] = [];

  constructor(readonly runId: number) {
    this.data = Object.fromEntries(COLUMNS.map((name) => [name, new Float64Array(this.capacity)])) as Record<Column, Float64Array>;
  }

  /** Appends the record of step `length + 1`. @throws Error when a step is missing or repeated. */
  push(record: StepRecord): void {
    if (record.step !== this.length + 1) throw new Error(`history expects step ${this.length + 1}, got ${record.step}`);
    if (this.length === this.capacity) this.grow();
    for (const name of COLUMNS) this.data[name][this.length] = record[name];
    this.length++;
  }

  private grow(): void {
    this.capacity *= 2;
    for (const name of COLUMNS) {
      const wider = new Float64Array(this.capacity);
      wider.set(this.data[name]);
      this.data[name] = wider;
    }
  }

  pushEvaluation(step: number, loss: number, accuracy: number): void {
    this.evals.push({ step, loss, accuracy });
  }

  /** Validations of steps up to `step`, in their order. */
  evaluations(step = Infinity): readonly Evaluation[] {
    return this.evals.filter((e) => e.step <= step);
  }

  /** Fills an empty history with rows of `packed` from step 1 on, and validations. */
  load(rows: Float64Array, evaluations: readonly Evaluation[]): void {
    if (this.length > 0) throw new Error('the history is not empty');
    while (this.capacity * RECORD_WIDTH < rows.length) this.grow();
    const { epoch, loss, regularizer, accuracy, lr, gradNorm } = this.data;
    [epoch, loss, regularizer, accuracy, lr, gradNorm].forEach((column, c) => {
      for (let i = 0; i < rows.length / RECORD_WIDTH; i++) column[i] = rows[i * RECORD_WIDTH + c]!;
    });
    this.length = rows.length / RECORD_WIDTH;
    this.evals.push(...evaluations);
  }

  /** Forgets everything after `step`. */
  truncate(step: number): void {
    this.length = Math.min(this.length, step);
    while (this.evals.length > 0 && this.evals[this.evals.length - 1]!.step > step) this.evals.pop();
  }

  record(step: number): StepRecord {
    const i = step - 1;
    const { loss, regularizer, accuracy, lr, gradNorm, epoch } = this.data;
    return {
      step,
      epoch: epoch[i]!,
      loss: loss[i]!,
      regularizer: regularizer[i]!,
      accuracy: accuracy[i]!,
      lr: lr[i]!,
      gradNorm: gradNorm[i]!,
    };
  }

  /** Records of steps `from` to the last, both inclusive. */
  records(from = 1): StepRecord[] {
    const out: StepRecord[] = [];
    for (let step = from; step <= this.length; step++) out.push(this.record(step));
    return out;
  }

  /** Records from step `from` on as rows of epoch, loss, regularizer, accuracy, lr, gradNorm. */
  packed(from: number): Float64Array {
    const { epoch, loss, regularizer, accuracy, lr, gradNorm } = this.data;
    const columns = [epoch, loss, regularizer, accuracy, lr, gradNorm];
    const out = new Float64Array(Math.max(0, this.length - from + 1) * columns.length);
    for (let i = from - 1, at = 0; i < this.length; i++) for (const column of columns) out[at++] = column[i]!;
    return out;
  }

  /** Decimated for the charts, see `seriesOf`; `smoothing` is the weight of the past in [0, 1). */
  series(smoothing: number, points?: number): Series {
    const { loss, accuracy, regularizer, lr } = this.data;
    const columns = { length: this.length, loss, accuracy, regularizer, lr };
    return seriesOf(columns, this.evals, { runId: this.runId, smoothing, ...(points !== undefined && { points }) });
  }
}
