import type { MatrixPlan, MatrixSpectrum } from '../../protocol/messages';
import type { RunRecord, SpectraFrame } from '../../protocol/run/record';
import { prepareFrame } from './disk';

/** Figures of a matrix beside its singular values, in the order in which they are stored. */
const FIGURES = ['epsilon', 'envelopeRank', 'sketch', 'residual', 'effectiveRank', 'stableRank', 'tailRatio', 'value'] as const;

/** One frame in two arrays: a few large ones are stored in a tenth of the time of thousands of small ones. */
export interface PackedFrame {
  readonly step: number;
  /** Index of its matrices in `plans`. */
  readonly plan: number;
  /** Of all matrices, one behind the other. */
  readonly sigma: Float32Array;
  /** `FIGURES` of each matrix. */
  readonly figures: Float64Array;
}

/** A record as it is stored. */
export type StoredRun = Omit<RunRecord, 'frames'> & {
  readonly plans: readonly (readonly MatrixPlan[])[];
  readonly packed: readonly PackedFrame[];
};

type Parts = Omit<PackedFrame, 'plan'> & { readonly plan: readonly MatrixPlan[]; readonly key: string };
const known = new WeakMap<SpectraFrame['matrices'], Parts>();

/** A frame's arrays; remembered, so that each frame of a long run is packed once. */
function parts({ step, matrices }: SpectraFrame): Parts {
  const before = known.get(matrices);
  if (before?.step === step) return before;
  const sigma = new Float32Array(matrices.reduce((sum, m) => sum + m.sigma.length, 0));
  const figures = new Float64Array(matrices.length * FIGURES.length);
  let at = 0;
  matrices.forEach((m, i) => {
    sigma.set(m.sigma, at);
    at += m.sigma.length;
    FIGURES.forEach((key, j) => (figures[i * FIGURES.length + j] = m[key]));
  });
  const plan = matrices.map(planOf);
  const made = { step, sigma, figures, plan, key: JSON.stringify(plan) };
  known.set(matrices, made);
  return made;
}

function planOf(matrix: MatrixSpectrum): MatrixPlan {
  const { sigma: _sigma, epsilon: _e, envelopeRank: _r, sketch: _s, residual: _d, ...rest } = matrix;
  const { effectiveRank: _f, stableRank: _t, tailRatio: _a, value: _v, ...plan } = rest;
  return plan;
}

/** Packs a frame as it arrives, so that nothing is left to do when the run is stored. */
export const packFrame = (frame: SpectraFrame): void => prepareFrame({ ...parts(frame), plan: 0 });

/** A record as it is stored; shares no arrays that change. */
export function packRun({ frames, ...rest }: RunRecord): StoredRun {
  const plans: (readonly MatrixPlan[])[] = [];
  const keys = new Map<string, number>();
  const packed = frames.map((frame): PackedFrame => {
    const { step, sigma, figures, plan, key } = parts(frame);
    const index = keys.get(key) ?? plans.push(plan) - 1;
    keys.set(key, index);
    return { step, plan: index, sigma, figures };
  });
  return { ...rest, plans, packed };
}

/** The record that was stored. */
export function unpackRun({ plans, packed, ...rest }: StoredRun): RunRecord {
  const frames = packed.map(({ step, plan, sigma, figures }): SpectraFrame => {
    let at = 0;
    const matrices = (plans[plan] ?? []).map((matrix, i): MatrixSpectrum => {
      const length = Math.min(matrix.rows, matrix.cols);
      const values = Object.fromEntries(FIGURES.map((key, j) => [key, figures[i * FIGURES.length + j]!]));
      const own = sigma.subarray(at, at + length);
      at += length;
      return { ...matrix, ...(values as Record<(typeof FIGURES)[number], number>), sigma: own };
    });
    return { step, matrices };
  });
  return { ...rest, frames };
}

/** Bytes that a stored run takes, without what the storage adds. */
export function bytesOf({ rows, clock, packed, plans, evaluations, curves }: StoredRun): number {
  const frames = packed.reduce((sum, frame) => sum + frame.sigma.byteLength + frame.figures.byteLength + 64, 0);
  const cuts = Object.values(curves).reduce((sum, curve) => sum + curve.cuts.length * 400, 0);
  return rows.byteLength + clock.byteLength + frames + evaluations.length * 64 + plans.flat().length * 200 + cuts + 4000;
}
