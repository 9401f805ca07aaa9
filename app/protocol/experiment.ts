import * as v from 'valibot';
import type { Field, FieldGroup } from '../engine/config';
import { DATASET_CONFIGS } from '../engine/data/config';
import { methodFields } from '../engine/regularizers/q3r/config';
import { modelFields } from '../engine/model/config';
import { TECHNIQUES, type TechniqueName } from '../engine/regularizers/config';
import { trainFields } from '../engine/train/config';
import { ConfigError } from './configError';
import { checkOverrides, overrideStructure, type MatrixOverride } from './overrides';

export type { MatrixOverride } from './overrides';

/** Data sets an experiment may name. */
export const DATASETS = ['shapes', 'cifar10', 'cifar100', 'mnist', 'folder'] as const;
export type DatasetName = (typeof DATASETS)[number];
export type MethodName = TechniqueName;
export type EpsilonSchedule = 'default' | 'linear' | 'constant' | 'exploration';
export type TargetModule = 'qkv' | 'proj' | 'fc1' | 'fc2' | 'head' | 'patch_embed';

export interface ModelConfig {
  /** Side of the square input, pixels; follows the data set unless given. */
  imageSize?: number;
  /** Follows the data set unless given. */
  inChannels?: number;
  /** Follows the data set unless given. */
  numClasses?: number;
  patchSize: number;
  embedDim: number;
  depth: number;
  numHeads: number;
  mlpRatio: number;
  /** What the head reads: the class token, or the mean of the patch tokens (timm's global_pool). */
  pool: 'token' | 'avg';
}
export interface TrainConfig {
  batchSize: number;
  steps: number;
  lr: number;
  lrSchedule: 'cosine' | 'constant';
  warmupSteps: number;
  beta1: number;
  beta2: number;
  adamEps: number;
  weightDecay: number;
  labelSmoothing: number;
  gradClip: number;
  augment: 'none' | 'basic' | 'strong';
  mixup: number;
  cutmix: number;
  /** Parts that a batch is cut into; divides batchSize. */
  accumulate: number;
  /** Blocks are computed again in the backward pass instead of being kept. */
  recompute: boolean;
  /** How activations and their gradients are stored: as f32, or mixed, inside the blocks in half precision, with a scaled loss. */
  precision: 'f32' | 'mixed';
  optimizer: 'adamw' | 'adam';
  emaDecay: number;
  seed: number;
  evalEvery: number;
  evalCount: number;
}
export interface MethodConfig {
  name: MethodName;
  targetRank: number;
  rankRule: 'min' | 'max';
  lambda: number;
  reweightEvery: number;
  epsilonSchedule: EpsilonSchedule;
  epsilonN: number;
  targetModules: TargetModule[];
  fuseQkv: boolean;
  svd: 'randomized' | 'exact';
  oversample: number;
  powerIterations: number;
  loraRank: number;
  loraAlpha: number;
  loritaDepth: number;
  /** Ranks, factors of λ and slices of single matrices. */
  overrides: MatrixOverride[];
}
export interface Experiment {
  dataset: DatasetName;
  model: ModelConfig;
  train: TrainConfig;
  method: MethodConfig;
}
export type DeepPartial<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T;

export { ConfigError };

export const GROUPS: readonly FieldGroup[] = [modelFields, methodFields, trainFields];
export const SECTIONS = ['model', 'train', 'method'] as const;
export type Section = (typeof SECTIONS)[number];

/** Finds a field by its path, `train.lr`. */
export function fieldAt(path: string): Field | undefined {
  const [section, key] = path.split('.');
  return GROUPS.find((group) => group.section === section)?.fields.find((field) => field.key === key);
}

const number = (field: Field & { kind: 'int' | 'float' }) => {
  const range = `${field.label} must be ${field.kind === 'int' ? 'a whole number' : 'a number'} from ${field.min} to ${field.max}`;
  return v.pipe(
    v.number(range),
    v.check((x) => Number.isFinite(x) && (field.kind === 'float' || Number.isInteger(x)) && x >= field.min && x <= field.max, range),
  );
};
const entry = (field: Field): v.GenericSchema => {
  switch (field.kind) {
    case 'int':
    case 'float':
      return number(field);
    case 'flag': {
      const flag = v.boolean(`${field.label} must be true or false`);
      return field.later ? v.optional(flag, field.default) : flag;
    }
    case 'choice': {
      const choice = v.picklist(
        field.options.map((o) => o.value),
        `${field.label} must be one of ${field.options.map((o) => o.value).join(', ')}`,
      );
      return field.later ? v.optional(choice, field.default) : choice;
    }
    case 'set':
      return v.pipe(
        v.array(
          v.picklist(
            field.options.map((o) => o.value),
            `${field.label} may hold ${field.options.map((o) => o.value).join(', ')}`,
          ),
          `${field.label} must be a list`,
        ),
        v.check((list) => new Set(list).size === list.length, `${field.label} names a matrix twice`),
      );
  }
};
const section = (group: FieldGroup, extra: Record<string, v.GenericSchema> = {}) =>
  v.strictObject({ ...Object.fromEntries(group.fields.map((field) => [field.key, entry(field)])), ...extra });

const shape = (label: string, max: number) =>
  v.optional(
    v.pipe(
      v.number(`${label} must be a whole number from 1 to ${max}`),
      v.integer(`${label} must be a whole number`),
      v.minValue(1, `${label} must be at least 1`),
      v.maxValue(max, `${label} must be at most ${max}`),
    ),
  );

const schema = v.strictObject({
  dataset: v.picklist(DATASETS, `The data set must be one of ${DATASETS.join(', ')}`),
  model: section(modelFields, {
    imageSize: shape('Image size', 512),
    inChannels: shape('Image channels', 16),
    numClasses: shape('Number of classes', 100_000),
  }),
  train: section(trainFields),
  // Checked by parseExperiment, which knows the model that the names belong to.
  method: section(methodFields, { overrides: v.optional(v.unknown(), () => []) }),
});

const defaultsOf = (group: FieldGroup): Record<string, unknown> =>
  Object.fromEntries(group.fields.map((field) => [field.key, structuredClone<unknown>(field.default)]));

/** A fresh copy of the default experiment. */
export function defaultExperiment(): Experiment {
  return {
    dataset: 'shapes',
    model: defaultsOf(modelFields),
    train: defaultsOf(trainFields),
    method: { ...defaultsOf(methodFields), overrides: [] },
  } as unknown as Experiment;
}

/** Side of the input that a patch must divide: as given, else the data set's. */
export const imageSizeOf = ({ dataset, model }: Pick<Experiment, 'dataset' | 'model'>): number =>
  model.imageSize ?? DATASET_CONFIGS[dataset].imageSize;

/** The patch size nearest to the wanted one that divides the image; of two, the larger. */
export function fittingPatch(wanted: number, imageSize: number): number {
  let best = 1;
  for (let patch = 1; patch <= Math.min(imageSize, 32); patch++)
    if (imageSize % patch === 0 && Math.abs(patch - wanted) <= Math.abs(best - wanted)) best = patch;
  return best;
}

/** `base` on another data set; with the nearest patch size that divides its images, where the present one does not. */
export function withDataset(base: Experiment, dataset: DatasetName): Experiment {
  const { patchSize } = base.model;
  const fitting = DATASETS.includes(dataset) ? fittingPatch(patchSize, imageSizeOf({ ...base, dataset })) : patchSize;
  return patchExperiment(base, fitting === patchSize ? { dataset } : { dataset, model: { patchSize: fitting } });
}

/**
 * Checks every field and every relation between fields.
 * @throws ConfigError naming the first field that is wrong, and what was expected.
 */
export function parseExperiment(input: unknown): Experiment {
  const result = v.safeParse(schema, input);
  if (!result.success) {
    const issue = result.issues[0];
    const path = (issue.path ?? []).map((part) => String(part.key)).join('.');
    const unknown = issue.type === 'strict_object' && issue.expected === 'never';
    const missing = issue.type === 'strict_object' && issue.received === 'undefined';
    const text = unknown ? `There is no setting ${path}.` : missing ? `${path} is missing.` : `${issue.message}, not ${show(issue.input)}.`;
    throw new ConfigError(path || 'experiment', text);
  }
  const experiment = result.output as unknown as Experiment;
  const { model, train, method } = experiment;
  const imageSize = imageSizeOf(experiment);
  if (imageSize % model.patchSize !== 0)
    throw new ConfigError(
      'model.patchSize',
      `Patch size must divide the image side of ${imageSize} pixels, and ${model.patchSize} does not; ${fittingPatch(model.patchSize, imageSize)} does.`,
    );
  if (model.embedDim % model.numHeads !== 0)
    throw new ConfigError('model.numHeads', `Heads must divide the width of ${model.embedDim}, and ${model.numHeads} does not.`);
  if (model.embedDim / model.numHeads > 128)
    throw new ConfigError(
      'model.numHeads',
      `A head of ${model.embedDim / model.numHeads} is too wide; at most 128 fit, so use more heads.`,
    );
  if (train.batchSize % train.accumulate !== 0)
    throw new ConfigError(
      'train.accumulate',
      `Accumulation must divide the batch of ${train.batchSize} images, and ${train.accumulate} does not.`,
    );
  const unfit = train.precision === 'mixed' ? notInFours(model) : undefined;
  if (unfit)
    throw new ConfigError(
      'train.precision',
      `Mixed precision keeps numbers in fours: width, head and hidden units must be multiples of 4, and ${unfit} is not.`,
    );
  if (method.loraRank > 1 && !Number.isInteger(method.loraRank))
    throw new ConfigError('method.loraRank', `LoRA rank must be a share below 1 or a whole number from 1 on, not ${method.loraRank}.`);
  if (method.targetRank >= 1 && (!Number.isInteger(method.targetRank) || method.targetRank === 1))
    throw new ConfigError('method.targetRank', `Target rank must be a share below 1 or a whole number above 1, not ${method.targetRank}.`);
  method.overrides = checkOverrides(method.overrides, { ...model, fuseQkv: method.fuseQkv });
  return experiment;
}

/** The first size of a model that is no multiple of four, as half precision is stored in: "a head of 6". */
export function notInFours({ embedDim, numHeads, mlpRatio }: ModelConfig): string | undefined {
  const sizes = { 'a width': embedDim, 'a head': embedDim / numHeads, 'a hidden layer': Math.trunc(embedDim * mlpRatio) };
  const bad = Object.entries(sizes).find(([, size]) => size % 4 !== 0);
  return bad && `${bad[0]} of ${bad[1]}`;
}

function show(value: unknown): string {
  if (typeof value === 'string') return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  if (value === undefined) return 'nothing';
  return JSON.stringify(value) ?? String(value);
}

/** `base` with the given fields replaced, checked. @throws ConfigError; `base` is never changed. */
export function patchExperiment(base: Experiment, patch: DeepPartial<Experiment>): Experiment {
  if (typeof patch !== 'object' || patch === null) throw new ConfigError('experiment', 'An experiment must be an object.');
  const merged: Record<string, unknown> = structuredClone(base) as unknown as Record<string, unknown>;
  for (const [key, value] of Object.entries(patch)) {
    if ((SECTIONS as readonly string[]).includes(key) && typeof value === 'object' && value !== null) {
      const target = { ...(merged[key] as Record<string, unknown>) };
      for (const [name, inner] of Object.entries(value as Record<string, unknown>)) {
        if (inner === undefined) delete target[name];
        else target[name] = inner;
      }
      merged[key] = target;
    } else merged[key] = value;
  }
  return parseExperiment(merged);
}

/** Reads a value by its path, `method.lambda`. */
export function valueAt(experiment: Experiment, path: string): unknown {
  const [sectionName, key] = path.split('.') as [Section, string];
  return (experiment[sectionName] as unknown as Record<string, unknown> | undefined)?.[key];
}

/** Paths of the fields in which two experiments differ. */
export function differences(a: Experiment, b: Experiment): string[] {
  const out: string[] = [];
  if (a.dataset !== b.dataset) out.push('dataset');
  for (const name of SECTIONS) {
    const left = a[name] as unknown as Record<string, unknown>;
    const right = b[name] as unknown as Record<string, unknown>;
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
      if (JSON.stringify(left[key]) !== JSON.stringify(right[key])) out.push(key === 'overrides' ? overridePath(a, b) : `${name}.${key}`);
  }
  return out;
}

/** Stands for a change of overrides that moves ranks and factors of λ only. */
const OVERRIDE_VALUES = 'method.overrideValues';

function overridePath(a: Experiment, b: Experiment): string {
  // The rank of a LoRA product is the size of its factors.
  const ranks = TECHNIQUES[b.method.name].factors === 'lora';
  const same = overrideStructure(a.method.overrides, ranks) === overrideStructure(b.method.overrides, ranks);
  return same ? OVERRIDE_VALUES : 'method.overrides';
}

/** True when a running experiment can take the change without starting anew. */
export const isLive = (path: string): boolean => path === OVERRIDE_VALUES || fieldAt(path)?.live === true;
