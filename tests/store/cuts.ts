import { CURVE_FRACTIONS, type Cut, type CutBy, type ModelFigures, type TruncationReport } from '../../app/protocol/truncation';

/** Made-up figures of a model of 48 600 parameters, 36 864 of them in matrices, that loses little above a quarter of them. */
export const fullFigures: ModelFigures = {
  parameters: 48_600,
  stored: 36_864,
  flops: 1_257_792,
  milliseconds: 0.5,
  loss: 1.2,
  accuracy: 0.78,
  count: 1000,
};

export function cutOf(fraction: number, step = 100, by: CutBy = 'fraction'): Cut {
  const left = 1 - Math.exp(-12 * fraction);
  const stored = Math.round(fraction * fullFigures.stored);
  return {
    step,
    fraction,
    ...(by === 'energy' && { energy: Math.min(1, 0.5 + 0.5 * fraction) }),
    ranks: [Math.floor(24 * fraction), Math.floor(32 * fraction)],
    parameters: 48_600 - 36_864 + stored,
    stored,
    flops: Math.round(200_000 + fraction * 1_057_792),
    milliseconds: 0.2 + 0.3 * fraction,
    loss: 1.2 + 2 * Math.exp(-12 * fraction),
    accuracy: 0.1 + 0.68 * left,
    count: 1000,
  };
}

export const reportOf = (fractions: readonly number[] = CURVE_FRACTIONS, step = 100, by: CutBy = 'fraction'): TruncationReport => ({
  step,
  by,
  matrices: ['a', 'b'],
  decomposition: 52,
  full: fullFigures,
  cuts: fractions.map((fraction) => cutOf(fraction, step, by)),
});
