import type { SpectraFrame } from '../../protocol/run/record';
import { logSigma } from './spectrum';

/** Most rows of a heat map; longer spectra are averaged down to that. */
export const MAX_ROWS = 192;

/** The spectra of one matrix over the run. Column c is the spectrum after step[c]; its log10 σ are values[c·rows … (c+1)·rows − 1]. */
export interface SpectraColumns {
  readonly count: number;
  readonly step: Float64Array;
  readonly rows: number;
  /** Singular values of the matrix; n / rows of them a row. */
  readonly n: number;
  readonly values: Float32Array;
}

/** Null when fewer than two of the frames have the matrix, as it is in the newest. */
export function heatColumns(frames: readonly SpectraFrame[], name: string): SpectraColumns | null {
  const found: { step: number; sigma: Float32Array }[] = [];
  for (const { step, matrices } of frames) {
    const matrix = matrices.find((m) => m.name === name);
    if (matrix) found.push({ step, sigma: matrix.sigma });
  }
  const n = found.at(-1)?.sigma.length ?? 0;
  const fits = found.filter(({ sigma }) => sigma.length === n);
  if (fits.length < 2 || n === 0) return null;
  const rows = Math.min(n, MAX_ROWS);
  const values = new Float32Array(rows * fits.length);
  fits.forEach(({ sigma }, c) => {
    const logs = logSigma(sigma);
    if (rows === n) values.set(logs, c * rows);
    else for (let r = 0; r < rows; r++) values[c * rows + r] = mean(logs, Math.floor((r * n) / rows), Math.floor(((r + 1) * n) / rows));
  });
  return { count: fits.length, step: Float64Array.from(fits, (f) => f.step), rows, n, values };
}

function mean(values: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i]!;
  return sum / (to - from);
}
