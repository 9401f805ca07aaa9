import { defaultExperiment, differences, type DatasetName, type Experiment } from '../experiment';
import { labelOf, valueText } from '../settings';
import { FLAGS, type FlagName } from './flags';
import { parseCommandLine } from './read';
import {
  DEFAULT_BATCH,
  DEFAULT_N,
  DEFAULT_STEP,
  datasetOf,
  hasEffect,
  impliedLambda,
  LORITA_DECAY,
  MODELS,
  stepsPerEpoch,
  TECHNIQUE_OF,
  usesLambda,
  usesLorita,
  usesQ3r,
  type ReferenceModel,
} from './reference';

export interface WrittenCommand {
  /** `python main.py …`, one line. */
  readonly line: string;
  /** What the line does not say: it stands for another value there. Empty when it says everything. */
  readonly notes: readonly string[];
}

const MAX_STEPS = 10_000_000;

/**
 * The reference's command for an experiment: exact where the reference has the flags for it, else its nearest, with every
 * setting that gets lost named in `notes`.
 */
export function toCommandLine(experiment: Experiment): WrittenCommand {
  const line = write(experiment);
  const { experiment: back } = parseCommandLine(line);
  const notes = differences(experiment, back)
    .filter((path) => hasEffect(path, experiment))
    .map((path) => `${labelOf(path)} is ${valueText(experiment, path)}; the line stands for ${valueText(back, path)}.`);
  return { line, notes };
}

function write(e: Experiment): string {
  const { train, method } = e;
  const base = defaultExperiment().method;
  // The reference's methods act on named matrices; without any they are plain Adam.
  const technique = method.targetModules.length > 0 ? nearestTechnique(e) : undefined;
  const name = technique ? method.name : 'adamw';
  const [dataset, datasetFlag] = nearestDataset(e.dataset);
  const words = ['python', 'main.py'];
  /** Leaves out what the reader takes for a flag that is not given. */
  const put = (flag: FlagName, value: string | number | readonly string[], implied?: unknown) => {
    if (String(value) !== String(implied)) words.push(`--${flag}`, ...(Array.isArray(value) ? (value as string[]) : [String(value)]));
  };
  const perEpoch = stepsPerEpoch(dataset, train.batchSize);
  put('dataset', datasetFlag);
  put('model', nearestModel(e));
  put('learning_rate', train.lr);
  put('epoch', Math.max(1, Math.min(Math.floor(MAX_STEPS / perEpoch), Math.round(train.steps / perEpoch))));
  put('batch_size', train.batchSize, DEFAULT_BATCH);
  if (technique) put('technique', technique);
  if (usesLambda(name)) put('lmbda', method.lambda, impliedLambda(name));
  if (name === 'lora') put('target_rank', method.loraRank);
  else put('target_rank', method.targetRank, usesQ3r(name) ? undefined : base.targetRank);
  if (usesLorita(name)) {
    put('depth_lorita', method.loritaDepth, 1);
    if (name === 'lorita') put('weight_decay_alpha', train.weightDecay, LORITA_DECAY);
    else if (train.optimizer === 'adamw') put('weight_decay_alpha', train.weightDecay);
  }
  if (usesQ3r(name)) {
    put('step', method.reweightEvery, DEFAULT_STEP);
    put('epsilon_schedule', method.epsilonSchedule, 'default');
    if (hasEffect('method.epsilonN', e)) put('N', Math.max(1, Math.round(method.epsilonN)), DEFAULT_N);
  }
  if (train.mixup > 0 && train.cutmix > 0) put('mixup_active', 'true');
  if (train.gradClip > 0) put('grad_clip', 'true');
  if (train.precision === 'mixed') put('amp', 'true');
  if (train.augment !== 'none') put('augmentation', train.augment === 'strong' ? 'best' : 'basic');
  if (method.targetModules.length > 0) put('target_modules', method.targetModules, technique ? undefined : base.targetModules);
  return words.join(' ');
}

/** The technique of the same name, or the one it is a variant of. */
const nearestTechnique = ({ method }: Experiment) => TECHNIQUE_OF.get(method.name === 'hoyerSquare' ? 'hoyer' : method.name);

/** The data set of the same name; CIFAR-10 in place of those that the reference has not. */
function nearestDataset(dataset: DatasetName): [DatasetName, string] {
  const flag = FLAGS.dataset.options.find((option) => datasetOf(option) === dataset);
  return flag ? [dataset, flag] : ['cifar10', 'CIFAR10'];
}

/** The model of the nearest width. */
function nearestModel({ model }: Experiment): ReferenceModel {
  const distance = (key: ReferenceModel) => Math.abs(Math.log(MODELS[key].embedDim / model.embedDim));
  return (Object.keys(MODELS) as ReferenceModel[]).reduce((best, key) => (distance(key) < distance(best) ? key : best));
}
