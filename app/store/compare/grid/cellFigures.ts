import type { MatrixSpectrum } from '../../../protocol/messages';
import type { RunRecord } from '../../../protocol/run/record';
import { columnsOf, seriesOf } from '../../../protocol/run/series';
import { matchingShare, type CutCurve } from '../../../protocol/truncation';
import { effectiveRank, tailEnergy } from '../figures';

/** What is known of a finished run at a glance. */
export interface CellFigures {
  /** Of the whole model on the validation images, in [0, 1]; NaN where it was not validated. */
  readonly accuracy: number;
  /** Share of the parameters that two factors of the target rank take; NaN where no matrix is targeted. */
  readonly kept: number;
  /** Accuracy with so many parameters. */
  readonly atTarget: number;
  /** Training loss, smoothed. */
  readonly loss: number;
  readonly effectiveRank: number;
  readonly tailEnergy: number;
  /** Share of the parameters and accuracy, ascending. */
  readonly cuts: readonly (readonly [number, number])[];
  /** Milliseconds of training. */
  readonly elapsedMs: number;
}

const between = (cuts: CellFigures['cuts'], share: number): number => {
  const after = cuts.findIndex(([kept]) => kept >= share - 1e-9);
  if (after < 0) return cuts.at(-1)?.[1] ?? NaN;
  const [to, high] = cuts[after]!;
  const [from, low] = cuts[after - 1] ?? [to, high];
  return to > from ? low + ((share - from) / (to - from)) * (high - low) : high;
};

/** Accuracy with a share of the parameters, linear between the measured ones. */
export const accuracyAt = ({ cuts }: Pick<CellFigures, 'cuts'>, share: number): number => between(cuts, share);

/** Share of the parameters that the target ranks of these matrices take; NaN where none is targeted. */
export const keptOf = (matrices: readonly MatrixSpectrum[], modules: readonly string[]): number => matchingShare(matrices, modules);

/** The figures of a finished run. */
export function figuresOf(
  record: Pick<RunRecord, 'experiment' | 'rows' | 'evaluations' | 'frames' | 'elapsedMs'>,
  curve: CutCurve | undefined,
): CellFigures {
  const { experiment, rows, evaluations, frames, elapsedMs } = record;
  const matrices = frames.at(-1)?.matrices ?? [];
  const series = seriesOf(columnsOf(rows), [], { runId: 0, smoothing: 0.9, points: 1 });
  const cuts = (curve?.cuts ?? []).map((cut) => [cut.fraction, cut.accuracy] as const);
  const kept = keptOf(matrices, experiment.method.targetModules);
  return {
    accuracy: curve?.full.accuracy ?? evaluations.at(-1)?.accuracy ?? NaN,
    kept,
    atTarget: Number.isFinite(kept) && cuts.length > 0 ? between(cuts, kept) : NaN,
    loss: series.lossSmooth.at(-1) ?? NaN,
    effectiveRank: effectiveRank(matrices),
    tailEnergy: tailEnergy(matrices),
    cuts,
    elapsedMs,
  };
}

export type GridMetric = 'atTarget' | 'atShare' | 'accuracy' | 'loss' | 'effectiveRank' | 'tailEnergy';

/** A figure of a run for the map. `share` counts for `atShare`. */
export const metricOf = (figures: CellFigures, metric: GridMetric, share: number): number =>
  metric === 'atShare' ? (figures.cuts.length > 0 ? accuracyAt(figures, share) : NaN) : figures[metric];
