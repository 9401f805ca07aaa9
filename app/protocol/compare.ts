import { fieldsOf, TECHNIQUES, type MethodField } from '../engine/regularizers/config';
import { patchExperiment, valueAt, type Experiment } from './experiment';

/** Something in the experiment pulls at the rank with a strength λ. */
export const hasLambda = ({ method }: Pick<Experiment, 'method'>): boolean => TECHNIQUES[method.name].regularizer !== 'none';

/** A setting of the method counts with the experiment's technique. */
export const methodUses = ({ method }: Pick<Experiment, 'method'>, key: string): boolean =>
  key === 'name' || fieldsOf(method.name).has(key as MethodField);

/** What an experiment is first compared with: itself with λ 0; with AdamQ3R, where it has no λ. */
export const counterpart = (experiment: Experiment): Experiment =>
  hasLambda(experiment) && experiment.method.lambda > 0
    ? patchExperiment(experiment, { method: { lambda: 0 } })
    : patchExperiment(experiment, { method: hasLambda(experiment) ? { lambda: 1 } : { name: 'adamq3r' } });

const firstDifference = (a: Experiment, b: Experiment, paths: readonly string[]): string | null => {
  if (a.dataset !== b.dataset) return 'dataset';
  return paths.find((path) => JSON.stringify(valueAt(a, path)) !== JSON.stringify(valueAt(b, path))) ?? null;
};

const SHAPES = ['imageSize', 'inChannels', 'numClasses', 'patchSize', 'embedDim', 'depth', 'numHeads', 'mlpRatio', 'pool'].map(
  (key) => `model.${key}`,
);

/** Path of the first setting by which two runs start from different weights; null when they start from the same. */
export function startsApart(a: Experiment, b: Experiment): string | null {
  const [left, right] = [TECHNIQUES[a.method.name].factors, TECHNIQUES[b.method.name].factors];
  const first = firstDifference(a, b, ['train.seed', ...SHAPES]);
  if (first !== null) return first;
  if (left !== right) return 'method.name';
  const factors = ['method.targetModules', 'method.fuseQkv', 'method.overrides'];
  if (left === 'lora') return firstDifference(a, b, ['method.loraRank', 'method.loraAlpha', ...factors]);
  return left === 'lorita' ? firstDifference(a, b, ['method.loritaDepth', ...factors]) : null;
}

/** Path of the first setting by which two runs see different batches; null when they see the same in the same order. */
export const batchesApart = (a: Experiment, b: Experiment): string | null =>
  firstDifference(a, b, [
    'train.seed',
    'train.batchSize',
    'train.augment',
    'train.mixup',
    'train.cutmix',
    'model.imageSize',
    'model.inChannels',
  ]);
