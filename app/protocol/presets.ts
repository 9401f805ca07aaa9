import { parseCommandLine } from './commandLine';
import {
  defaultExperiment,
  differences,
  fittingPatch,
  imageSizeOf,
  patchExperiment,
  withDataset,
  type DatasetName,
  type DeepPartial,
  type Experiment,
} from './experiment';

/** A model and recipe that suit a class of devices. The data set is not part of it, but of a whole experiment. */
export interface Preset {
  readonly key: string;
  /** Patch size after the slash, as the papers write it. */
  readonly label: string;
  readonly why: string;
  readonly patch: DeepPartial<Experiment>;
  /** Every setting and the data set: named after what it shows, and its model after its size. */
  readonly whole?: true;
}

/** A command of the reference's README as a preset. */
const reference = (key: string, label: string, why: string, line: string): Preset => {
  const { experiment, problems } = parseCommandLine(line);
  if (problems[0]) throw new Error(`preset ${key}: ${problems[0].message}`);
  return { key, label, why, patch: experiment, whole: true };
};

/**
 * λ follows the recipe: over a run a tail shrinks by about exp(−2 λ Σ lr), and the sizes for graphics cards come to an exponent of 4 to 5,
 * which leaves the accuracy of the dense baseline. Nano is for a lesson: its few steps need a stronger pull, and an ε that follows
 * σ up as well, since a tail that has once outgrown a falling ε is hardly pulled any more. `npm run effect` measures what that gives.
 */
export const PRESETS: readonly Preset[] = [
  {
    key: 'nano',
    label: 'ViT-Nano/8',
    why: 'Two blocks of width 48: runs without a graphics card.',
    patch: {
      model: { patchSize: 8, embedDim: 48, depth: 2, numHeads: 4, mlpRatio: 2 },
      train: { batchSize: 32, steps: 1500, warmupSteps: 60, lr: 3e-3, evalEvery: 100, evalCount: 500 },
      method: { lambda: 5, targetRank: 0.07, reweightEvery: 5, epsilonSchedule: 'exploration' },
    },
  },
  {
    key: 'micro',
    label: 'ViT-Micro/4',
    why: 'Four blocks of width 64: integrated graphics and phones.',
    patch: {
      model: { patchSize: 4, embedDim: 64, depth: 4, numHeads: 4, mlpRatio: 2 },
      train: { batchSize: 64, steps: 3000, warmupSteps: 100, lr: 1e-3, evalEvery: 150, evalCount: 1000 },
      method: { lambda: 1.5, targetRank: 0.2, reweightEvery: 5 },
    },
  },
  {
    key: 'mini',
    label: 'ViT-Mini/4',
    why: 'Six blocks of width 128: laptop graphics.',
    patch: {
      model: { patchSize: 4, embedDim: 128, depth: 6, numHeads: 4, mlpRatio: 4 },
      train: { batchSize: 128, steps: 5000, warmupSteps: 200, lr: 1e-3, evalEvery: 200, evalCount: 2000 },
      method: { lambda: 1, targetRank: 0.2, reweightEvery: 5 },
    },
  },
  {
    key: 'tiny',
    label: 'ViT-Tiny/4',
    why: 'Twelve blocks of width 192, the model of the paper: fast graphics cards.',
    patch: {
      model: { patchSize: 4, embedDim: 192, depth: 12, numHeads: 3, mlpRatio: 4 },
      train: { batchSize: 128, steps: 10_000, warmupSteps: 500, lr: 5e-4, evalEvery: 400, evalCount: 2000 },
      method: { lambda: 1, targetRank: 0.2, reweightEvery: 5 },
    },
  },
  {
    key: 'tiny16',
    label: 'ViT-Tiny/16',
    why: 'The same blocks on images enlarged to 224 pixels, the setting of the paper’s code: three times the tokens.',
    patch: {
      model: { imageSize: 224, patchSize: 16, embedDim: 192, depth: 12, numHeads: 3, mlpRatio: 4 },
      train: { batchSize: 128, accumulate: 8, steps: 10_000, warmupSteps: 500, lr: 5e-4, evalEvery: 500, evalCount: 1000 },
      method: { lambda: 1, targetRank: 0.2, reweightEvery: 5 },
    },
  },
  {
    key: 'small',
    label: 'ViT-Small/4',
    why: 'Twelve blocks of width 384: four times the weights of ViT-Tiny.',
    patch: {
      model: { patchSize: 4, embedDim: 384, depth: 12, numHeads: 6, mlpRatio: 4 },
      train: { batchSize: 128, accumulate: 2, steps: 10_000, warmupSteps: 500, lr: 5e-4, evalEvery: 500, evalCount: 2000 },
      method: { lambda: 1, targetRank: 0.2, reweightEvery: 5 },
    },
  },
  {
    key: 'base',
    label: 'ViT-Base/16',
    why: 'Twelve blocks of width 768 on images enlarged to 224 pixels: the largest cards, for days.',
    patch: {
      model: { imageSize: 224, patchSize: 16, embedDim: 768, depth: 12, numHeads: 12, mlpRatio: 4 },
      train: { batchSize: 128, accumulate: 32, steps: 10_000, warmupSteps: 500, lr: 3e-4, evalEvery: 1000, evalCount: 1000 },
      method: { lambda: 1.5, targetRank: 0.2, reweightEvery: 5 },
    },
  },
  reference(
    'referenceAdamq3r',
    'Reference: AdamQ3R',
    'The first command of the reference’s README: CIFAR-10 at 224 pixels, AdamQ3R on qkv, λ 0.1.',
    'python main.py --dataset CIFAR10 --model VIT_Tiny --learning_rate 0.0004 --epoch 100 --technique AdamQ3R --lmbda 0.1 --target_rank 0.05 --target_modules qkv',
  ),
  reference(
    'referenceLoritaQ3r',
    'Reference: LoRITa + Q3R',
    'The second command of the reference’s README: Q3R in the loss on LoRITa factors, ε falling in 46 875 refreshes.',
    'python main.py --dataset CIFAR10 --model VIT_Tiny --learning_rate 0.00004 --epoch 100 --technique LoRITaQuaRS --depth_lorita=1 --weight_decay_alpha=0.1 --target_modules qkv --target_rank 16  --target_modules qkv --epsilon_schedule linear --N 46875',
  ),
];

/**
 * Key of the largest preset whose step stays well under 200 ms at the measured GEMM rate in GFLOP/s.
 * A training step costs about 0.16 (nano), 4, 64 and 280 GFLOP; a third of the GEMM rate is what a whole step reaches.
 */
export function presetFor(gflops: number, software: boolean): string {
  if (software || !(gflops >= 100)) return 'nano';
  if (gflops < 1500) return 'micro';
  return gflops < 6000 ? 'mini' : 'tiny';
}

/** The preset of that key; the first where there is none. */
export const presetByKey = (key: string): Preset => PRESETS.find((preset) => preset.key === key) ?? PRESETS[0]!;

/**
 * A fresh experiment as the preset has it, with the nearest patch size that divides the data set's images; a whole one brings its own
 * data set.
 */
export function presetExperiment(key: string, dataset: DatasetName = 'shapes'): Experiment {
  const { patch, whole } = presetByKey(key);
  const experiment = patchExperiment(defaultExperiment(), patch);
  return whole ? experiment : withDataset(experiment, dataset);
}

/** Key of the preset that differs from the experiment in the fewest fields. */
export function nearestPreset(experiment: Experiment): string {
  const distance = (preset: Preset) => differences(presetExperiment(preset.key, experiment.dataset), experiment).length;
  return PRESETS.reduce((best, preset) => (distance(preset) < distance(best) ? preset : best)).key;
}

/** "ViT-Nano/8", or "ViT 3 × 96/4" for a model that is no preset's. */
export function modelName({ dataset, model }: Experiment): string {
  const imageSize = imageSizeOf({ dataset, model });
  const same = PRESETS.find(
    (preset) =>
      !preset.whole &&
      Object.entries({
        ...preset.patch.model,
        patchSize: fittingPatch(preset.patch.model?.patchSize ?? model.patchSize, imageSize),
      }).every(([key, value]) => model[key as keyof typeof model] === value),
  );
  return same?.label.replace(/\d+$/, String(model.patchSize)) ?? `ViT ${model.depth} × ${model.embedDim}/${model.patchSize}`;
}
