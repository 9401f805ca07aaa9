import type { Fault, StepRecord } from '../../protocol/messages';
import type { Emit } from './events';
import type { Run, StepResult } from './run';

/**
 * Why a step is no part of its run: it halted, or its numbers are not finite. `record` is what would be remembered of it, `lastNorm` the
 * gradient norm of the step before, where there is one. Undefined for a good step, and for one that the loss scale has skipped.
 */
export function haltOf(record: StepRecord, { halted, skipped, lossScale }: StepResult, lastNorm: number | undefined): Fault | undefined {
  const { step, loss, gradNorm } = record;
  if (!halted && Number.isFinite(loss) && (skipped || Number.isFinite(gradNorm))) return undefined;
  return {
    kind: 'non-finite',
    message:
      lossScale > 0 && Number.isFinite(loss)
        ? `The gradient overflowed half precision at step ${step}, even with a loss scale of ${lossScale}, so the run stopped.`
        : `The loss became infinite at step ${step}, so the run stopped.`,
    detail: `step ${step}, loss ${loss}, gradient norm ${gradNorm}`,
    step,
    gradNorm: lastNorm ?? gradNorm,
  };
}

/** The fault of `haltOf` with what helps to go on: the first tensor that is not finite, the snapshot to go back to and a lower rate. */
export async function explainHalt(fault: Fault, run: Run, snapshotStep: number | undefined, emit: Emit): Promise<Fault> {
  const bad = await run.firstBadTensor(fault.step).catch((error: unknown) => {
    emit({ type: 'notice', level: 'warn', message: `The first bad tensor could not be looked for: ${String(error)}` });
    return undefined;
  });
  const suggestedLr = Number((run.experiment.train.lr / 10).toPrecision(2));
  return { ...fault, tensor: bad?.name, badCount: bad?.count, snapshotStep, suggestedLr };
}
