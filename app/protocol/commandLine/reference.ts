import { DATASET_CONFIGS } from '../../engine/data/config';
import { DATASETS, type DatasetName, type Experiment, type MethodName, type ModelConfig, type TrainConfig } from '../experiment';
import type { FlagValues } from './flags';

/** Steps between the names of the reference and those of an experiment. Both directions read these tables. */
export type Technique = NonNullable<FlagValues['technique']>;

/** `undefined` is the reference's default, plain Adam. */
export const METHOD_OF: ReadonlyMap<Technique | undefined, MethodName> = new Map<Technique | undefined, MethodName>([
  [undefined, 'adamw'],
  ['Hoyer', 'hoyer'],
  ['QuaRS', 'q3r'],
  ['LoRA', 'lora'],
  ['LoRITa', 'lorita'],
  ['AdamQ3R', 'adamq3r'],
  ['LoRITaQuaRS', 'loritaQ3r'],
  ['LoRITaAdamQ3R', 'loritaAdamq3r'],
]);
export const TECHNIQUE_OF: ReadonlyMap<MethodName, Technique | undefined> = new Map(
  [...METHOD_OF].map(([technique, name]) => [name, technique]),
);

/** Methods with a smoothing parameter and a target rank. */
export const usesQ3r = (name: MethodName): boolean => ['q3r', 'adamq3r', 'loritaQ3r', 'loritaAdamq3r'].includes(name);
export const usesLorita = (name: MethodName): boolean => ['lorita', 'loritaQ3r', 'loritaAdamq3r'].includes(name);
export const usesLambda = (name: MethodName): boolean => usesQ3r(name) || name === 'hoyer' || name === 'hoyerSquare';
/** Methods whose λ the authors' program fixes at 1, whatever --lmbda says. */
export const fixesLambda = (name: MethodName): boolean => name === 'q3r' || name === 'loritaQ3r' || name === 'hoyer';

/** λ of a command without --lmbda; undefined where the method has none. */
export const impliedLambda = (name: MethodName): number | undefined => (!usesLambda(name) ? undefined : fixesLambda(name) ? 1 : 0.01);
/** Default of --weight_decay_alpha, where the authors' program reads it. */
export const LORITA_DECAY = 0.01;
export const DEFAULT_BATCH = 128;
export const DEFAULT_LR = 0.001;
export const DEFAULT_STEP = 5;
export const DEFAULT_N = 46_875;
/** What --mixup_active and --grad_clip switch on. */
export const MIXUP = { mixup: 0.8, cutmix: 1, labelSmoothing: 0.1 } as const;
export const CLIP_NORM = 1;

const vit = (embedDim: number, depth: number, numHeads: number) =>
  ({ imageSize: 224, patchSize: 16, embedDim, depth, numHeads, mlpRatio: 4, pool: 'token' }) as const satisfies ModelConfig;
/** timm's vit_*_patch16_224. */
export const MODELS = { VIT_Tiny: vit(192, 12, 3), VIT_Base: vit(768, 12, 12), VIT_Large: vit(1024, 24, 16) } as const;
export type ReferenceModel = keyof typeof MODELS;

/** What the authors' program does in every run. */
export const RECIPE = {
  lrSchedule: 'constant',
  warmupSteps: 0,
  beta1: 0.9,
  beta2: 0.999,
  adamEps: 1e-8,
  emaDecay: 0,
  seed: 0,
} as const satisfies Partial<TrainConfig>;

/** The data set of this page that the reference calls `name`; undefined where there is none. */
export function datasetOf(name: NonNullable<FlagValues['dataset']>): DatasetName | undefined {
  const key = name.toLowerCase();
  return DATASETS.find((known) => known === key);
}

export const stepsPerEpoch = (dataset: DatasetName, batchSize: number): number =>
  Math.max(1, Math.ceil(DATASET_CONFIGS[dataset].trainCount / batchSize));

/** Images that pass at once: at 224 pixels a batch of the reference's size needs more memory than many devices give. */
const PART = 16;
/** In how many parts a batch passes: the fewest of at most 16 images each. */
export function partsOf(batchSize: number): number {
  let best = 1;
  for (let parts = 1; parts <= Math.min(256, batchSize); parts++) {
    if (batchSize % parts !== 0) continue;
    best = parts;
    if (batchSize / parts <= PART) break;
  }
  return best;
}

/** True where the experiment's behaviour depends on the setting. */
export function hasEffect(path: string, { method, train }: Experiment): boolean {
  switch (path) {
    case 'method.lambda':
      return usesLambda(method.name);
    case 'method.reweightEvery':
    case 'method.epsilonSchedule':
    case 'method.svd':
      return usesQ3r(method.name);
    case 'method.oversample':
    case 'method.powerIterations':
      return usesQ3r(method.name) && method.svd === 'randomized';
    case 'method.epsilonN':
      return usesQ3r(method.name) && ['linear', 'constant'].includes(method.epsilonSchedule);
    case 'method.targetRank':
      return method.name !== 'lora';
    case 'method.rankRule':
      return method.name !== 'lora' && method.targetRank < 1;
    case 'method.loraRank':
    case 'method.loraAlpha':
      return method.name === 'lora';
    case 'method.loritaDepth':
      return usesLorita(method.name);
    case 'train.optimizer':
      // Without decay AdamW is Adam.
      return train.weightDecay !== 0;
    default:
      return true;
  }
}
