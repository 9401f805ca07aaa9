import type { Series } from '../messages';
import { RECORD_WIDTH, type RunEvaluation } from './record';

/** Most points a chart line may have. */
export const MAX_POINTS = 400;

export interface SeriesOptions {
  readonly runId: number;
  /** Weight of the past in [0, 1); 0 gives the raw values of the last step of each interval. */
  readonly smoothing: number;
  readonly points?: number;
  /** Steps to show, both inclusive; all of them when absent. The average is over all steps before, too. */
  readonly from?: number;
  readonly to?: number;
  /** Intervals that grow by a constant ratio, for a logarithmic axis of steps; as wide as each other when absent. */
  readonly log?: boolean;
}

/** Where the values of a run lie: `value(i, field)` for the step i + 1. */
export interface Columns {
  readonly length: number;
  readonly loss: ArrayLike<number>;
  readonly accuracy: ArrayLike<number>;
  readonly regularizer: ArrayLike<number>;
  readonly lr: ArrayLike<number>;
}

/** One field of packed rows as an array, without a copy of the others. */
function column(rows: Float64Array, field: number): Float64Array {
  const out = new Float64Array(rows.length / RECORD_WIDTH);
  for (let i = 0; i < out.length; i++) out[i] = rows[i * RECORD_WIDTH + field]!;
  return out;
}

const unpacked = new WeakMap<Float64Array, Columns>();

/** Packed rows by field; remembered as long as the rows are. */
export function columnsOf(rows: Float64Array): Columns {
  let columns = unpacked.get(rows);
  if (!columns) {
    columns = {
      length: rows.length / RECORD_WIDTH,
      loss: column(rows, 1),
      regularizer: column(rows, 2),
      accuracy: column(rows, 3),
      lr: column(rows, 4),
    };
    unpacked.set(rows, columns);
  }
  return columns;
}

/** Last steps of at most `points` intervals of one width from step `from` to `n`. */
function evenEnds(from: number, n: number, points: number): Float64Array {
  const shown = Math.max(0, n - from + 1);
  // A power of two keeps the intervals where they are while the run grows, so old points do not wobble.
  let width = 1;
  while (Math.ceil(shown / width) > points) width *= 2;
  return Float64Array.from({ length: Math.ceil(shown / width) }, (_, p) => Math.min(n, from - 1 + (p + 1) * width));
}

/** The same with intervals that widen with the step; single steps where the ratio asks for less than one. */
function growingEnds(from: number, n: number, points: number): Float64Array {
  if (n - from < points) return evenEnds(from, n, points);
  // Halves of an octave's division keep the intervals where they are while the run grows.
  let parts = 512;
  while (parts > 1 && Math.log2(n / from) * parts > points - 2) parts /= 2;
  const out: number[] = [];
  for (let i = Math.ceil(Math.log2(from) * parts); ; i++) {
    const end = Math.round(2 ** (i / parts));
    if (end >= n) break;
    if (end >= from && end !== out.at(-1)) out.push(end);
  }
  return Float64Array.from([...out, n]);
}

/**
 * At most `points` points: each stands for an interval of steps and carries its last step, the mean, lowest and highest raw
 * loss in it, and the debiased exponential average over all steps so far (so it does not depend on the decimation, nor on the zoom).
 */
export function seriesOf(columns: Columns, evaluations: readonly Omit<RunEvaluation, 'count'>[], o: SeriesOptions): Series {
  const { runId, smoothing, points = MAX_POINTS } = o;
  const from = Math.max(1, Math.floor(o.from ?? 1));
  const n = Math.min(columns.length, Math.ceil(o.to ?? Infinity));
  const ends = o.log ? growingEnds(from, n, points) : evenEnds(from, n, points);
  const count = ends.length;
  const f32 = (): Float32Array => new Float32Array(count);
  const out = {
    runId,
    step: new Float64Array(count),
    loss: f32(),
    lossMin: f32(),
    lossMax: f32(),
    lossSmooth: f32(),
    accuracySmooth: f32(),
    regularizer: f32(),
    lr: f32(),
  };
  const { loss, accuracy, regularizer, lr } = columns;
  let lossMean = 0;
  let accuracyMean = 0;
  let weight = 0;
  const average = (i: number): void => {
    lossMean = smoothing * lossMean + (1 - smoothing) * loss[i]!;
    accuracyMean = smoothing * accuracyMean + (1 - smoothing) * accuracy[i]!;
    weight = smoothing * weight + (1 - smoothing);
  };
  for (let i = 0; i < from - 1 && i < n; i++) average(i);
  for (let p = 0; p < count; p++) {
    const start = p > 0 ? ends[p - 1]! : from - 1;
    const end = ends[p]!;
    let sum = 0;
    let low = Infinity;
    let high = -Infinity;
    for (let i = start; i < end; i++) {
      const x = loss[i]!;
      sum += x;
      if (x < low) low = x;
      if (x > high) high = x;
      average(i);
    }
    out.step[p] = end;
    out.loss[p] = sum / (end - start);
    out.lossMin[p] = low;
    out.lossMax[p] = high;
    out.lossSmooth[p] = lossMean / weight;
    out.accuracySmooth[p] = accuracyMean / weight;
    out.regularizer[p] = regularizer[end - 1]!;
    out.lr[p] = lr[end - 1]!;
  }
  const inside = evaluations.filter((e) => e.step >= from - 1 && e.step <= (o.to ?? Infinity));
  const every = Math.max(1, Math.ceil(inside.length / points));
  const kept = inside.filter((_, i) => (inside.length - 1 - i) % every === 0);
  return {
    ...out,
    evalStep: Float64Array.from(kept, (e) => e.step),
    evalLoss: Float32Array.from(kept, (e) => e.loss),
    evalAccuracy: Float32Array.from(kept, (e) => e.accuracy),
  };
}
