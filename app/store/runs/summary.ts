import type { Experiment } from '../../protocol/experiment';
import type { MatrixSpectrum } from '../../protocol/messages';
import type { RunRecord } from '../../protocol/run/record';
import { columnsOf, seriesOf } from '../../protocol/run/series';
import { techniqueName } from '../../protocol/settings';
import type { CutCurves } from '../../protocol/truncation';
import type { RunSummary } from '../slices/runs';

const LOSSES = 40;
/** The share of the targeted parameters at which runs are compared. */
export const CUT_SHARE = 0.2;

/** "AdamQ3R, λ 0.01" */
export function nameOf({ method }: Experiment): string {
  const name = techniqueName({ method });
  if (method.name === 'adamw') return name;
  if (method.name === 'lora') return `${name}, rank ${method.loraRank}`;
  return `${name}, λ ${method.lambda}`;
}

/** Accuracy with a fifth of the targeted parameters kept, a share in [0, 1]; null where it was not measured. */
export function accuracyCutOf({ fraction }: CutCurves): number | null {
  const near = fraction?.cuts.filter((cut) => Math.abs(cut.fraction - CUT_SHARE) < 0.005) ?? [];
  return near[0]?.accuracy ?? null;
}

/** Σ σ² past the target ranks over Σ σ², a share in [0, 1]; null where there is nothing to measure. */
export function tailOf(matrices: readonly MatrixSpectrum[] | undefined): number | null {
  let tail = 0;
  let all = 0;
  for (const { sigma, tailRatio } of matrices ?? []) {
    const energy = sigma.reduce((sum, s) => sum + s * s, 0);
    if (!Number.isFinite(energy) || !Number.isFinite(tailRatio)) continue;
    all += energy;
    tail += energy * (1 - tailRatio);
  }
  return all > 0 ? Math.max(0, tail / all) : null;
}

/** At most `points` of the values, the last one among them. */
export function thinned(values: ArrayLike<number>, points = LOSSES): number[] {
  const every = Math.max(1, Math.ceil(values.length / points));
  const out: number[] = [];
  for (let i = (values.length - 1) % every; i < values.length; i += every) if (i >= 0) out.push(Number(values[i]!.toPrecision(5)));
  return out;
}

/** What only the keeping of a run knows. */
export type Kept = Pick<RunSummary, 'pinned' | 'style' | 'bytes' | 'imported' | 'checkpoint' | 'grid'>;

/** What the table says of a record. */
export function summaryOf(record: RunRecord, kept: Kept): RunSummary {
  const { id, name, date, origin, experiment, step, totalSteps, phase, elapsedMs, parent } = record;
  // Averaged over a fortieth of the run, so that short and long ones look alike.
  const smoothing = Math.min(0.98, 1 - Math.min(1, LOSSES / Math.max(1, step)));
  const { lossSmooth } = seriesOf(columnsOf(record.rows), [], { runId: 0, smoothing, points: 2 * LOSSES });
  return {
    ...{ id, name, date, device: origin.device, experiment, step, totalSteps, phase, elapsedMs, parent },
    accuracy: record.evaluations.at(-1)?.accuracy ?? null,
    accuracyCut: accuracyCutOf(record.curves),
    tail: tailOf(record.frames.at(-1)?.matrices),
    losses: thinned(lossSmooth),
    ...kept,
  };
}
