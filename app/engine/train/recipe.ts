import { packStepState, type Mix } from '../../../kernels/stepState';
import type { Experiment } from '../../protocol/experiment';
import { groupMatrices, workspaceItems, workspaceSize, type WorkspaceSize } from '../linalg/svdWorkspace';
import { activationElements, elementsBeside, type BufferItem, type VitPlan } from '../model/memory';
import { vitParameters, type VitConfig } from '../model/parameters';
import { learningRate } from '../optim/schedule';
import { actedMatrices, planFactors, planMatrices, techniqueOf } from './matrices';

/** Activations are stored in half precision. */
export const storesHalves = ({ train }: Experiment): boolean => train.precision === 'mixed';

/** Images whose activations are kept at once: those of one part of a batch. */
export const partSize = ({ train }: Experiment): number => train.batchSize / train.accumulate;

/** How the decompositions of a run share work buffers. */
export interface SpectralPlan {
  /** Long ranges of the matrices that are decomposed at the same time, in vec4s. */
  readonly most: number;
  readonly size: WorkspaceSize;
  /** The work buffers, which lodge in the activations of training: no decomposition runs during a pass. */
  readonly items: readonly BufferItem[];
}

/** Work buffers that find no room in the activations may take so many elements, */
const BESIDE = 2 ** 20;
/** or as many as this share of the weights. */
const BESIDE_SHARE = 1 / 8;

/** As many matrices are decomposed at a time as the activations of training have room for. */
export function spectralPlan(experiment: Experiment, config: VitConfig): SpectralPlan {
  const { method } = experiment;
  const { regularizer } = techniqueOf(method);
  const shown = planMatrices(experiment, config);
  const acted = actedMatrices(shown, method, planFactors(experiment, config, shown));
  const whole = regularizer === 'q3r' && method.svd !== 'exact';
  const all = workspaceSize([shown, acted], whole);
  const allowed = Math.max(BESIDE, BESIDE_SHARE * vitParameters(config).total);
  const hostsFor = (guests: readonly BufferItem[]) =>
    activationElements(config, partSize(experiment), true, { ...storedAs(experiment), guests });
  const wanted = workspaceItems(all).reduce((sum, { elements }) => sum + elements, 0);
  // No fewer parts than these can have room.
  const least = Math.max(1, Math.floor(wanted / (hostsFor([]).total + allowed)));
  for (let parts = least; ; parts += 1 + (parts >> 2)) {
    // Hoyer takes its matrices all at once.
    const last = parts > shown.length || regularizer === 'hoyer';
    const most = Math.ceil(all.long / parts);
    const size = workspaceSize([...groupMatrices(shown, most), ...(regularizer === 'hoyer' ? [acted] : groupMatrices(acted, most))], whole);
    const items = workspaceItems(size);
    if (last || elementsBeside(items, hostsFor(items).items) <= allowed) return { most, size, items };
  }
}

const storedAs = (experiment: Experiment): Pick<VitPlan, 'recompute' | 'halves'> => ({
  recompute: experiment.train.recompute,
  halves: storesHalves(experiment),
});

/** What the training activations of an experiment are made for, but the number of images. */
export const trainingOptions = (experiment: Experiment, config: VitConfig): Pick<VitPlan, 'recompute' | 'halves' | 'guests'> => ({
  ...storedAs(experiment),
  guests: spectralPlan(experiment, config).items,
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
