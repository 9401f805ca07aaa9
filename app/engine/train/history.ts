import type { Series, StepRecord } from '../../protocol/messages';

/** Most points a chart line may have. */
export const MAX_POINTS = 400;

const COLUMNS = ['loss', 'regularizer', 'accuracy', 'lr', 'gradNorm', 'epoch'] as const;
type Column = (typeof COLUMNS)[number];
/** Values of one row of `packed`. */
export const RECORD_WIDTH = COLUMNS.length;

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

  /**
   * At most `points` points: each stands for an interval of steps and carries its last step, the mean, lowest and highest raw
   * loss in it, and the debiased exponential average over all steps so far (so it does not depend on the decimation).
   * @param smoothing weight of the past in [0, 1); 0 gives the raw values of the last step of each interval
   */
  series(smoothing: number, points: number = MAX_POINTS): Series {
    const n = this.length;
    // A power of two keeps the intervals where they are while the run grows, so old points do not wobble.
    let width = 1;
    while (Math.ceil(n / width) > points) width *= 2;
    const count = Math.ceil(n / width);
    const f32 = (): Float32Array => new Float32Array(count);
    const out = {
      runId: this.runId,
      step: new Float64Array(count),
      loss: f32(),
      lossMin: f32(),
      lossMax: f32(),
      lossSmooth: f32(),
      accuracySmooth: f32(),
      regularizer: f32(),
      lr: f32(),
    };
    const { loss, accuracy, regularizer, lr } = this.data;
    let lossMean = 0;
    let accuracyMean = 0;
    let weight = 0;
    for (let p = 0; p < count; p++) {
      const end = Math.min(n, (p + 1) * width);
      let sum = 0;
      let low = Infinity;
      let high = -Infinity;
      for (let i = p * width; i < end; i++) {
        const x = loss[i]!;
        sum += x;
        if (x < low) low = x;
        if (x > high) high = x;
        lossMean = smoothing * lossMean + (1 - smoothing) * x;
        accuracyMean = smoothing * accuracyMean + (1 - smoothing) * accuracy[i]!;
        weight = smoothing * weight + (1 - smoothing);
      }
      out.step[p] = end;
      out.loss[p] = sum / (end - p * width);
      out.lossMin[p] = low;
      out.lossMax[p] = high;
      out.lossSmooth[p] = lossMean / weight;
      out.accuracySmooth[p] = accuracyMean / weight;
      out.regularizer[p] = regularizer[end - 1]!;
      out.lr[p] = lr[end - 1]!;
    }
    const every = Math.max(1, Math.ceil(this.evals.length / points));
    const kept = this.evals.filter((_, i) => (this.evals.length - 1 - i) % every === 0);
    return {
      ...out,
      evalStep: Float64Array.from(kept, (e) => e.step),
      evalLoss: Float32Array.from(kept, (e) => e.loss),
      evalAccuracy: Float32Array.from(kept, (e) => e.accuracy),
    };
  }
}
