import type { MatrixSpectrum } from '../../protocol/messages';
import type { SpectraFrame } from '../../protocol/run/record';

/** Mean over the matrices of the blocks; NaN where there are none. */
function mean(matrices: readonly MatrixSpectrum[], value: (m: MatrixSpectrum) => number): number {
  let sum = 0;
  let count = 0;
  for (const m of matrices) {
    if (m.block < 0) continue;
    sum += value(m);
    count++;
  }
  return count ? sum / count : NaN;
}

/** Share of the squared singular values past the target rank, mean over the blocks' matrices. */
export const tailEnergy = (matrices: readonly MatrixSpectrum[]): number => mean(matrices, (m) => Math.max(0, 1 - m.tailRatio));
export const effectiveRank = (matrices: readonly MatrixSpectrum[]): number => mean(matrices, (m) => m.effectiveRank);

/** The frame at a step or the last before it; the newest without a step. */
export function frameAt(frames: readonly SpectraFrame[], step: number | null): SpectraFrame | null {
  if (step === null) return frames.at(-1) ?? null;
  let found = frames[0] ?? null;
  for (const frame of frames) {
    if (frame.step > step) break;
    found = frame;
  }
  return found;
}

type Figure = (m: readonly MatrixSpectrum[]) => number;
const known = new WeakMap<SpectraFrame, Map<Figure, number>>();
/** A figure of a frame, computed once. */
export function figureOf(frame: SpectraFrame, figure: Figure): number {
  let figures = known.get(frame);
  if (!figures) known.set(frame, (figures = new Map<Figure, number>()));
  let value = figures.get(figure);
  if (value === undefined) figures.set(figure, (value = figure(frame.matrices)));
  return value;
}
