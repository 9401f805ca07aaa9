import type { Experiment } from '../../protocol/experiment';
import type { Factorization } from '../factorization/factorization';
import type { Gpu } from '../gpu/device';
import type { Program } from '../gpu/recorder';
import { stageElements } from '../model/gradientStage';
import type { VitTuning } from '../model/memory';
import type { ParameterTable, VitConfig } from '../model/parameters';
import { VitModel } from '../model/vit';
import type { GpuDataset } from '../ops/gather';
import { Stage } from '../ops/stage';
import { Accumulation } from '../optim/accumulate';
import type { Adam } from '../optim/adam';
import { techniqueOf } from './matrices';
import type { RankControl } from './rankControl';
import { trainingOptions } from './recipe';
import { joinParts, recordClear, recordGather, recordPart, recordStep, type RecordedStep, type StepRecipe, type StepViews } from './step';

/** A model with the programs that train it; one for the run's batch size, others for batches given by hand. */
export interface Kit {
  readonly model: VitModel;
  readonly step: RecordedStep;
  /** Where the batch passes in parts: what collects them, and the programs that begin the batch and end each part. */
  readonly accumulation: Accumulation | undefined;
  readonly parts: readonly Program[];
  /** The batch, a program a part. */
  gathers: readonly Program[];
  stage: Stage | undefined;
  /** A step on a gathered batch; empty until there is data. */
  gathered: readonly Program[];
}

/** What the kits of a run share. */
export interface KitMaker {
  readonly gpu: Gpu;
  readonly experiment: Experiment;
  readonly config: VitConfig;
  readonly table: ParameterTable;
  readonly tuning: VitTuning;
  readonly views: StepViews;
  readonly adam: Adam;
  readonly rank: RankControl;
  readonly factorization: Factorization | undefined;
}

/** What the experiment says of a step. */
function recipeOf({ train }: Experiment): StepRecipe {
  const { labelSmoothing, mixup, cutmix, augment } = train;
  return { labelSmoothing, mix: mixup > 0 || cutmix > 0, strong: augment === 'strong' };
}

/** The model that trains, with the activations of `rows` images. @throws OutOfMemoryError */
export const trainingModel = (
  { gpu, experiment, config, tuning }: Pick<KitMaker, 'gpu' | 'experiment' | 'config' | 'tuning'>,
  rows: number,
): Promise<VitModel> =>
  gpu.guard(
    `the activations of ${rows} images`,
    () => new VitModel(gpu, { config, batch: rows, tuning, training: true, ...trainingOptions(experiment, config) }),
  );

/**
 * A kit for batches of `batch` images in `count` parts, around the model `given` or one of its own.
 * @throws OutOfMemoryError, ShaderError; nothing of it is left then but the model given
 */
export async function makeKit(maker: KitMaker, batch: number, count: number, given?: VitModel): Promise<Kit> {
  const { gpu, experiment, config, views, adam, rank, factorization } = maker;
  const model = given ?? (await trainingModel(maker, batch / count));
  const made: Program[] = [];
  let accumulation: Accumulation | undefined;
  try {
    accumulation = await gpu.guard('the gradients of a part', () =>
      count > 1 ? new Accumulation(gpu, { elements: stageElements(config), batch, parts: count }) : undefined,
    );
    const { inLoss } = techniqueOf(experiment.method);
    const { regularizer } = rank;
    const recipe = recipeOf(experiment);
    const step = await recordStep(gpu, { views, model, batch, recipe, adam, regularizer, inLoss, accumulation, factorization });
    made.push(step.program);
    const total = factorization?.weightGrads ?? views.grads;
    const add = accumulation;
    const ends = (accumulation: Accumulation) => Array.from({ length: count }, (_, part) => recordPart(gpu, { model, accumulation, part }));
    // All have ended before anything is freed.
    const settled = await Promise.allSettled(add ? [recordClear(gpu, add, total), ...ends(add)] : []);
    const parts = settled.flatMap((add) => (add.status === 'fulfilled' ? [add.value] : []));
    made.push(...parts);
    for (const add of settled) if (add.status === 'rejected') throw add.reason;
    return { model, step, accumulation, parts, gathers: [], stage: undefined, gathered: [] };
  } catch (error) {
    for (const program of made) program.dispose();
    accumulation?.dispose();
    if (!given) model.dispose();
    throw error;
  }
}

/** Records how the kit of the run's own batches comes by its images. @throws OutOfMemoryError, ShaderError; `starveKit` is called then */
export async function feedKit({ gpu, views, experiment }: KitMaker, kit: Kit, dataset: GpuDataset): Promise<void> {
  const { batchSize, accumulate, augment } = experiment.train;
  const recipe = recipeOf(experiment);
  const { model } = kit;
  const rows = batchSize / accumulate;
  const needs = { from: dataset.shape, to: model.inputShape, batch: rows, strong: augment === 'strong' };
  const stage = (kit.stage = await gpu.guard('augmented images', () => Stage.create(gpu, needs)));
  const part = (i: number) => recordGather(gpu, { views, model, dataset, batch: rows, first: i * rows, stage, recipe });
  kit.gathers = await Promise.all(Array.from({ length: accumulate }, (_, i) => part(i)));
  kit.gathered = kit.accumulation ? [joinParts(gpu, kit.step, kit.gathers, kit.parts)] : [...kit.gathers, kit.step.program];
}

/** Frees what `feedKit` has made. */
export function starveKit(kit: Kit): void {
  for (const program of kit.gathers) program.dispose();
  kit.stage?.dispose();
  [kit.gathers, kit.gathered, kit.stage] = [[], [], undefined];
}

/** Frees a kit; its programs must have run. */
export function disposeKit(kit: Kit): void {
  starveKit(kit);
  const { model, step, accumulation, parts } = kit;
  for (const program of [...parts, step.program]) program.dispose();
  accumulation?.dispose();
  model.dispose();
}
