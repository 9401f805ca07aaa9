import { packStepState, type Mix } from '../../../kernels/stepState';
import type { Experiment } from '../../protocol/experiment';
import { SvdWorkspace } from '../linalg/svdBatch';
import { activationElements, type BufferItem, type VitPlan } from '../model/memory';
import type { VitConfig } from '../model/parameters';
import { learningRate } from '../optim/schedule';
import { actedMatrices, planFactors, planMatrices } from './matrices';

/** Activations are stored in half precision. */
export const storesHalves = ({ train }: Experiment): boolean => train.precision === 'mixed';

/** Images whose activations are kept at once: those of one part of a batch. */
export const partSize = ({ train }: Experiment): number => train.batchSize / train.accumulate;

/** The work buffers of a run's decompositions, which lodge in the activations of training: none of them runs during a pass. */
export function workspaceItems(experiment: Experiment, config: VitConfig): readonly BufferItem[] {
  const matrices = planMatrices(experiment, config);
  return SvdWorkspace.itemsFor([matrices, actedMatrices(matrices, experiment.method, planFactors(experiment, config, matrices))]);
}

/** What the training activations of an experiment are made for, but the number of images. */
export const trainingOptions = (experiment: Experiment, config: VitConfig): Pick<VitPlan, 'recompute' | 'halves' | 'guests'> => ({
  recompute: experiment.train.recompute,
  halves: storesHalves(experiment),
  guests: workspaceItems(experiment, config),
});

/** The largest training activations of an experiment: those of one part of its batch. */
export const trainingActivations = (experiment: Experiment, config: VitConfig) =>
  activationElements(config, partSize(experiment), true, trainingOptions(experiment, config));

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

/** The StepState of step t (from 1): the scalars that its kernels read. */
export function stepStateOf({ train, method }: Experiment, { t, trainCount, mix }: { t: number; trainCount: number; mix: Mix }) {
  const seen = (t - 1) * train.batchSize;
  return packStepState({
    step: t,
    lr: learningRate(train, t),
    beta1: train.beta1,
    beta2: train.beta2,
    adamEps: train.adamEps,
    weightDecay: train.weightDecay,
    lambda: method.lambda,
    gradClip: train.gradClip,
    seed: train.seed,
    epoch: Math.floor(seen / trainCount),
    position: seen % trainCount,
    trainCount,
    augment: train.augment,
    mix,
    emaDecay: train.emaDecay,
  });
}
