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
  readonly dLogits?: View;
  readonly lanes?: CrossEntropyVariant['lanes'];
  readonly label?: string;
}

/** Softmax cross entropy of each sample, and the gradient of the batch mean. */
export function recordCrossEntropy(recorder: Recorder, args: CrossEntropyArgs): void {
  const { rows, classes, labelSmoothing, logits, labels, losses, correct, dLogits, label = 'crossEntropy' } = args;
  const lanes = args.lanes ?? (recorder.gpu.info.software ? 4 : 64);
  recorder.dispatch(crossEntropy({ gradient: dLogits !== undefined, lanes }), {
    params: { rows, classes, smoothing: labelSmoothing },
    buffers: [logits, labels, losses, correct, ...(dLogits ? [dLogits] : [])],
    grid: crossEntropyGrid(rows),
    work: 10 * rows * classes,
    label,
  });
}
