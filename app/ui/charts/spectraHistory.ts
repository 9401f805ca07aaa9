import type { MatrixSpectrum } from '../../protocol/messages';
import { logSigma } from './spectrum';

/** Most columns a history keeps, and most rows; longer spectra are averaged down to that. */
export const MAX_COLUMNS = 240;
export const MAX_ROWS = 192;

/** The spectra of one matrix over the run. Column c covers steps from[c] to to[c]; its log10 σ are values[c·rows … (c+1)·rows − 1]. */
export interface SpectraColumns {
  readonly count: number;
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly rows: number;
  /** Singular values per row of the map: n / rows. */
  readonly n: number;
  readonly values: Float32Array;
}

interface Track {
  n: number;
  rows: number;
  values: Float32Array;
}

/**
 * Every spectrum of a run so far, in bounded memory and outside React. When the columns are full, neighbours are merged (the mean of log σ)
 * and from then on each column takes twice as many spectra.
 */
export class SpectraHistory {
  private readonly from = new Float64Array(MAX_COLUMNS);
  private readonly to = new Float64Array(MAX_COLUMNS);
  private readonly filled = new Uint32Array(MAX_COLUMNS);
  private readonly tracks = new Map<string, Track>();
  private count = 0;
  private perColumn = 1;

  clear(): void {
    this.tracks.clear();
    this.count = 0;
    this.perColumn = 1;
  }

  /** Adds the spectra of a step. An older step than the newest means that the run went back: what lies after it is forgotten. */
  push(step: number, matrices: readonly MatrixSpectrum[]): void {
    if (!this.fits(matrices)) this.clear();
    while (this.count > 0 && this.to[this.count - 1]! > step) this.count--;
    if (this.count > 0 && step === this.to[this.count - 1]) return;
    if (this.count === 0) this.perColumn = 1;
    const last = this.count - 1;
    let column = last;
    if (last < 0 || this.filled[last]! >= this.perColumn) {
      if (this.count === MAX_COLUMNS) this.merge();
      column = this.count++;
      this.from[column] = step;
      this.filled[column] = 0;
    }
    this.to[column] = step;
    const share = 1 / (this.filled[column]! + 1);
    this.filled[column]!++;
    for (const matrix of matrices) this.blend(this.track(matrix), column, matrix.sigma, share);
  }

  columns(name: string): SpectraColumns | null {
    const track = this.tracks.get(name);
    if (!track || this.count === 0) return null;
    return { count: this.count, from: this.from, to: this.to, rows: track.rows, n: track.n, values: track.values };
  }

  private fits(matrices: readonly MatrixSpectrum[]): boolean {
    return (
      this.tracks.size === 0 ||
      (matrices.length === this.tracks.size && matrices.every((m) => this.tracks.get(m.name)?.n === m.sigma.length))
    );
  }

  private track(matrix: MatrixSpectrum): Track {
    let track = this.tracks.get(matrix.name);
    if (!track) {
      const n = matrix.sigma.length;
      const rows = Math.min(n, MAX_ROWS);
      track = { n, rows, values: new Float32Array(rows * MAX_COLUMNS) };
      this.tracks.set(matrix.name, track);
    }
    return track;
  }

  /** column ← column + share · (spectrum − column): the running mean of what fell into it. */
  private blend({ n, rows, values }: Track, column: number, sigma: Float32Array, share: number): void {
    const logs = logSigma(sigma);
    const base = column * rows;
    for (let r = 0; r < rows; r++) {
      let value = logs[r]!;
      if (rows < n) {
        const end = Math.floor(((r + 1) * n) / rows);
        const start = Math.floor((r * n) / rows);
        value = 0;
        for (let i = start; i < end; i++) value += logs[i]!;
        value /= end - start;
      }
      const i = base + r;
      values[i] = share === 1 ? value : values[i]! + share * (value - values[i]!);
    }
  }

  private merge(): void {
    const half = MAX_COLUMNS / 2;
    for (let c = 0; c < half; c++) {
      const a = this.filled[2 * c]!;
      const b = this.filled[2 * c + 1]!;
      const share = b / (a + b);
      for (const { rows, values } of this.tracks.values())
        for (let r = 0; r < rows; r++) {
          const left = values[2 * c * rows + r]!;
          values[c * rows + r] = left + share * (values[(2 * c + 1) * rows + r]! - left);
        }
      this.from[c] = this.from[2 * c]!;
      this.to[c] = this.to[2 * c + 1]!;
      this.filled[c] = a + b;
    }
    this.count = half;
    this.perColumn *= 2;
  }
}
