import { FIRST_LOSS_SCALE } from '../engine/optim/config';
import type { TrainConfig } from './experiment';
import type { Mark, StepRecord } from './messages';

/** What marks call the loss scale: it is no setting, but changes like one while a mixed run goes on. */
export const LOSS_SCALE = 'train.lossScale';

/** What the loss of step `step` of a run is multiplied by; undefined where precision is not mixed. */
export function lossScaleAt({ precision }: TrainConfig, marks: readonly Mark[], step: number): number | undefined {
  if (precision !== 'mixed') return undefined;
  return marks.filter((mark) => mark.field === LOSS_SCALE && mark.step < step).at(-1)?.to ?? FIRST_LOSS_SCALE;
}

/** Records, ascending, with the loss scale of each where precision is mixed. */
export function withLossScale(records: readonly StepRecord[], train: TrainConfig, marks: readonly Mark[]): StepRecord[] {
  let scale = lossScaleAt(train, marks, records[0]?.step ?? 1);
  if (scale === undefined) return [...records];
  const changes = marks.filter((mark) => mark.field === LOSS_SCALE);
  let next = 0;
  return records.map((record) => {
    for (; next < changes.length && changes[next]!.step < record.step; next++) scale = changes[next]!.to;
    return { ...record, lossScale: scale };
  });
}

/** The steps of a run that were skipped: behind each the scale is smaller. */
export const skippedSteps = (marks: readonly Mark[]): number =>
  marks.filter(({ field, from, to }) => field === LOSS_SCALE && to < from).length;
