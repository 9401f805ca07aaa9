import type { Experiment } from '../../protocol/experiment';
import { activationElements } from '../model/memory';
import type { VitConfig } from '../model/parameters';

/** Activations are stored in half precision. */
export const storesHalves = ({ train }: Experiment): boolean => train.precision === 'mixed';

/** Images whose activations are kept at once: those of one part of a batch. */
export const partSize = ({ train }: Experiment): number => train.batchSize / train.accumulate;

/** The largest training activations of an experiment: those of one part of its batch. */
export const trainingActivations = (experiment: Experiment, config: VitConfig) =>
  activationElements(config, partSize(experiment), true, { recompute: experiment.train.recompute, halves: storesHalves(experiment) });

/** Most images in one pass of an evaluation. */
const EVAL_BATCH = 256;
/** Bytes that evaluation may take beside the buffers of the training model, in which it lodges. */
const EVAL_BYTES = 4 * 2 ** 20;
/** Bytes that WebGPU's default limits let one binding have. */
const EVAL_BINDING = 128 * 2 ** 20;

/** Images in one pass of an evaluation: as many as are asked for up to 256, fewer where the buffers of the training model are too small. */
export function evaluationBatch(experiment: Experiment, config: VitConfig): number {
  const hosts = trainingActivations(experiment, config).items;
  const part = partSize(experiment);
  let batch = Math.min(EVAL_BATCH, Math.max(1, experiment.train.evalCount));
  while (batch > 1) {
    const { total, largest } = activationElements(config, batch, false, { hosts, halves: storesHalves(experiment) });
    if (4 * largest.elements <= EVAL_BINDING && 4 * total <= EVAL_BYTES) break;
    const half = Math.ceil(batch / 2);
    batch = half < part && part < batch ? part : half;
  }
  return batch;
}
