import { csvLine } from '../../store/files';

/** Figures of a confusion matrix, u32 [classes, classes], rows by label and columns by prediction. */

/** Images of each class. */
export function rowSums(cells: Uint32Array, classes: number): number[] {
  return Array.from({ length: classes }, (_, row) => cells.subarray(row * classes, (row + 1) * classes).reduce((a, b) => a + b, 0));
}

export interface Confused {
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
  /** Of the images of the class. */
  readonly share: number;
}

/** The pairs most often taken for each other, most frequent first; at most `limit`. */
export function mostConfused(cells: Uint32Array, classes: number, limit: number): Confused[] {
  const sums = rowSums(cells, classes);
  const out: Confused[] = [];
  cells.forEach((count, i) => {
    const [label, predicted] = [Math.floor(i / classes), i % classes];
    if (label !== predicted && count > 0) out.push({ label, predicted, count, share: count / sums[label]! });
  });
  return out.sort((a, b) => b.count - a.count || b.share - a.share).slice(0, limit);
}

/** Comma-separated counts with the classes' names. */
export function confusionCsv(cells: Uint32Array, names: readonly string[]): string {
  const rows = names.map((name, r) => csvLine([name, ...cells.subarray(r * names.length, (r + 1) * names.length)]));
  return [csvLine(['label \\ predicted', ...names]), ...rows].join('');
}
