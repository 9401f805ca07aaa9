import { crossEntropy, crossEntropyGrid, type CrossEntropyVariant } from '../../../kernels/crossEntropy/crossEntropy';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';

export interface CrossEntropyArgs {
  readonly rows: number;
  readonly classes: number;
  /** s in [0, 1): the target is (1 − s)·onehot + s/classes. */
  readonly labelSmoothing: number;
  /** f32 [rows, classes]. */
  readonly logits: View;
  /** i32 [rows]. */
  readonly labels: View;
  /** f32 [rows], written. */
  readonly losses: View;
  /** u32 [rows], written: 1 where the largest logit is the label's. */
  readonly correct: View;
  /** f32 [rows, classes], written when given: gradient of the mean loss. */
  readonly dLogits?: View | undefined;
  /** Samples that the mean is over, where the rows are only a part of them; otherwise the rows. */
  readonly meanOf?: number | undefined;
  /** StepState: each target is mixed with that of the row as far from the other end. */
  readonly mix?: View | undefined;
  /** LossScale: dLogits, which must be there, is that of the scaled loss. */
  readonly scaling?: View | undefined;
  readonly lanes?: CrossEntropyVariant['lanes'];
  readonly label?: string;
}

/** Softmax cross entropy of each sample, and the gradient of the batch mean. */
export function recordCrossEntropy(recorder: Recorder, args: CrossEntropyArgs): void {
  const { rows, classes, labelSmoothing, logits, labels, losses, correct, dLogits, mix, scaling, label = 'crossEntropy' } = args;
  const lanes = args.lanes ?? (recorder.gpu.info.software ? 4 : 64);
  recorder.dispatch(crossEntropy({ gradient: dLogits !== undefined, mix: mix !== undefined, scaled: scaling !== undefined, lanes }), {
    params: { rows, classes, mean_of: args.meanOf ?? rows, smoothing: labelSmoothing },
    buffers: [logits, labels, losses, correct, ...[dLogits, mix, scaling].filter((view) => view !== undefined)],
    grid: crossEntropyGrid(rows),
    work: 10 * rows * classes,
    label,
  });
}
