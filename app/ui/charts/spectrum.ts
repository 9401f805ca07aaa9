import type { MatrixSpectrum } from '../../protocol/messages';
import { crisp, line, newPath, type Context, type Palette } from './canvas';
import type { Decades } from './scales';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Stands for zero and for what is not a number: below every floor. */
const NOTHING = -30;
const cache = new WeakMap<Float32Array, Float32Array>();

/** log10 of singular values, computed once per array. */
export function logSigma(sigma: Float32Array): Float32Array {
  let logs = cache.get(sigma);
  if (!logs) {
    logs = new Float32Array(sigma.length);
    for (let i = 0; i < sigma.length; i++) {
      const v = Math.log10(sigma[i]!);
      logs[i] = v > NOTHING ? v : NOTHING;
    }
    cache.set(sigma, logs);
  }
  return logs;
}

/** Index of the last kept singular value. */
export const lastKept = (matrix: Pick<MatrixSpectrum, 'targetRank' | 'sigma'>): number =>
  Math.min(matrix.sigma.length, Math.max(1, matrix.targetRank)) - 1;

/** Horizontal place of index i (from 0) of n in a box. */
export const indexX = (box: Box, i: number, n: number): number => box.x + (n > 1 ? i / (n - 1) : 0) * box.width;

/** Vertical place of a log10 value, held inside the box. */
export function decadeY(box: Box, { low, high }: Decades, v: number): number {
  const t = (v - low) / (high - low);
  return box.y + box.height * (1 - Math.min(1, Math.max(0, t)));
}

/** True for the effective rank of a matrix that is far from its target: coloured as tail. */
export function isRankHigh(matrix: Pick<MatrixSpectrum, 'sigma' | 'targetRank' | 'effectiveRank'>): boolean {
  return matrix.effectiveRank > matrix.targetRank + 0.15 * Math.max(0, matrix.sigma.length - matrix.targetRank);
}

/** ε is drawn only where Q3R acts and has a value. */
export const hasEpsilon = (matrix: Pick<MatrixSpectrum, 'regularized' | 'epsilon'>): boolean =>
  matrix.regularized && Number.isFinite(matrix.epsilon) && matrix.epsilon > 0;

/**
 * Collects the spectra of many boxes and paints each kind of stroke once: with 72 cells the canvas's state changes cost more than
 * its lines. All boxes share one range of decades.
 */
export class SpectrumBatch {
  private readonly headArea: Path2D;
  private readonly tailArea: Path2D;
  private readonly headLine: Path2D;
  private readonly tailLine: Path2D;
  private readonly ghostLine: Path2D;
  private readonly floor: Path2D;
  private readonly target: Path2D;
  private readonly epsilon: Path2D;

  constructor(
    g: Context,
    private readonly decades: Decades,
  ) {
    [this.headArea, this.tailArea, this.headLine, this.tailLine] = [newPath(g), newPath(g), newPath(g), newPath(g)];
    [this.ghostLine, this.floor, this.target, this.epsilon] = [newPath(g), newPath(g), newPath(g), newPath(g)];
  }

  /** `wideEpsilon` draws ε across the box instead of a short dash right of the target. */
  add(box: Box, matrix: MatrixSpectrum, ghost?: MatrixSpectrum, wideEpsilon = false): void {
    const n = matrix.sigma.length;
    if (n === 0) return;
    const logs = logSigma(matrix.sigma);
    const kept = lastKept(matrix);
    const bottom = crisp(box.y + box.height) - 1;
    this.floor.moveTo(box.x, bottom);
    this.floor.lineTo(box.x + box.width, bottom);
    this.trace(this.headArea, this.headLine, box, logs, 0, kept);
    this.trace(this.tailArea, this.tailLine, box, logs, kept, n - 1);
    if (ghost && ghost.sigma.length === n) this.trace(null, this.ghostLine, box, logSigma(ghost.sigma), 0, n - 1);
    const x = indexX(box, kept, n);
    this.target.moveTo(crisp(x), box.y);
    this.target.lineTo(crisp(x), box.y + box.height);
    const height = Math.log10(matrix.epsilon);
    if (hasEpsilon(matrix) && height < this.decades.high && height > this.decades.low) {
      const y = crisp(decadeY(box, this.decades, height));
      this.epsilon.moveTo(wideEpsilon ? box.x : x - 3, y);
      this.epsilon.lineTo(wideEpsilon ? box.x + box.width : Math.min(box.x + box.width, x + Math.max(10, box.width * 0.2)), y);
    }
  }

  /** Adds the curve between two indices, and the area under it, down to where it meets the floor. */
  private trace(area: Path2D | null, curve: Path2D, box: Box, logs: Float32Array, from: number, to: number): void {
    const { low } = this.decades;
    const bottom = box.y + box.height;
    if (logs[from]! <= low) return;
    const n = logs.length;
    // About one point a pixel is all that shows; next to the ends, where the curve is steep, every one.
    const stride = Math.max(1, Math.floor(n / Math.max(1, box.width)));
    let x = indexX(box, from, n);
    let y = decadeY(box, this.decades, logs[from]!);
    area?.moveTo(x, bottom);
    area?.lineTo(x, y);
    curve.moveTo(x, y);
    for (let before = from; before < to;) {
      const i = before - from < 4 || to - before < 4 ? before + 1 : Math.min(to, before + stride);
      const v = logs[i]!;
      const meets = v < low;
      const at = meets ? before + ((logs[before]! - low) / (logs[before]! - v)) * (i - before) : i;
      x = indexX(box, at, n);
      y = decadeY(box, this.decades, v);
      area?.lineTo(x, y);
      curve.lineTo(x, y);
      if (meets) break;
      before = i;
    }
    area?.lineTo(x, bottom);
    area?.closePath();
  }

  paint(g: Context, p: Palette, large = false): void {
    g.setLineDash([]);
    g.lineWidth = 1;
    g.strokeStyle = p.ghost;
    g.stroke(this.ghostLine);
    g.fillStyle = p.headFill;
    g.fill(this.headArea);
    g.fillStyle = p.tailFill;
    g.fill(this.tailArea);
    g.strokeStyle = p.line2;
    g.stroke(this.floor);
    g.lineWidth = large ? 1 : 1.25;
    g.strokeStyle = p.epsilon;
    g.setLineDash(large ? [...p.epsilonDash] : [3, 1.5]);
    g.stroke(this.epsilon);
    g.setLineDash([]);
    g.lineWidth = large ? 1.25 : 1;
    g.strokeStyle = p.target;
    g.stroke(this.target);
    g.lineWidth = large ? 2 : 1.5;
    g.strokeStyle = p.head;
    g.stroke(this.headLine);
    g.strokeStyle = p.tail;
    g.stroke(this.tailLine);
  }
}

/** One spectrum alone in a box. */
export function drawSpectrum(
  g: Context,
  p: Palette,
  box: Box,
  matrix: MatrixSpectrum,
  decades: Decades,
  options: { ghost?: MatrixSpectrum; large?: boolean } = {},
): void {
  const batch = new SpectrumBatch(g, decades);
  batch.add(box, matrix, options.ghost, options.large);
  batch.paint(g, p, options.large);
}

/** Hairlines at whole decades. */
export function drawDecadeGrid(g: Context, p: Palette, box: Box, decades: Decades, ticks: readonly number[]): void {
  for (const d of ticks) {
    const y = crisp(decadeY(box, decades, d));
    if (y < box.y + box.height - 2) line(g, box.x, y, box.x + box.width, y, p.line1);
  }
}
