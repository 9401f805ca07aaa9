import type { Experiment } from '../../protocol/experiment';
import { activationElements } from '../model/memory';
import type { VitConfig } from '../model/parameters';

/** Images whose activations are kept at once: those of one part of a batch. */
export const partSize = ({ train }: Experiment): number => train.batchSize / train.accumulate;

/** Most images in one pass of an evaluation. */
const EVAL_BATCH = 256;
/** Bytes that evaluation may take beyond what training takes, and that WebGPU's default limits let one binding have. */
const EVAL_BYTES = 128 * 2 ** 20;

/** Images in one pass of an evaluation: as many as are asked for up to 256, fewer where these would take more memory than training. */
export function evaluationBatch(experiment: Experiment, config: VitConfig): number {
  const training = 4 * activationElements(config, partSize(experiment), true).total;
  let batch = Math.min(EVAL_BATCH, Math.max(1, experiment.train.evalCount));
  for (; batch > 1; batch = Math.ceil(batch / 2)) {
    const { total, largest } = activationElements(config, batch, false);
    if (4 * largest.elements <= EVAL_BYTES && 4 * total <= Math.max(training, EVAL_BYTES)) break;
  }
  return batch;
}
