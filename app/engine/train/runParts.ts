import type { Experiment } from '../../protocol/experiment';
import { Factorization } from '../factorization/factorization';
import { initialFactors } from '../factorization/initial';
import type { Gpu } from '../gpu/device';
import { savedView } from '../linalg/svdFactors';
import type { VitTuning } from '../model/memory';
import { initialParameters, vitParameters, type ParameterTable, type VitConfig } from '../model/parameters';
import type { VitModel } from '../model/vit';
import { Adam } from '../optim/adam';
import { Flight } from './flight';
import { trainingModel } from './kit';
import { planFactors, planMatrices } from './matrices';
import { RankControl } from './rankControl';
import { partSize, spectralPlan, storesHalves } from './recipe';
import { Snapshotter } from './snapshot';
import { StepViews } from './step';
import { tuningFor } from './tuning';

/** What a run consists of, all of it allocated before its first step; the programs are made of it. */
export interface RunParts {
  readonly table: ParameterTable;
  readonly tuning: VitTuning;
  /** Of the run's own batches; decompositions work in its memory while it rests. */
  readonly model: VitModel;
  readonly views: StepViews;
  readonly adam: Adam;
  readonly rank: RankControl;
  readonly flight: Flight;
  readonly snapshots: Snapshotter;
  /** Composes the weights from what is trained; absent where the weights themselves are. */
  readonly factorization: Factorization | undefined;
}

/** Allocates the parts of a run, with its initial weights. @throws OutOfMemoryError; nothing is left then */
export async function allocateRun(gpu: Gpu, experiment: Experiment, config: VitConfig, general: VitTuning): Promise<RunParts> {
  const rows = partSize(experiment);
  const tuning = await tuningFor(gpu, general, { config, batch: rows, training: true, halves: storesHalves(experiment) });
  const table = vitParameters(config);
  const matrices = planMatrices(experiment, config);
  const layout = planFactors(experiment, config, matrices);
  const model = await trainingModel({ gpu, experiment, config, tuning }, rows);
  const allocate = (): RunParts => {
    const { train } = experiment;
    const elements = (layout?.trained ?? table).total;
    const views = new StepViews(gpu, elements, {
      averaged: train.emaDecay > 0 ? table.total : 0,
      scaled: storesHalves(experiment),
    });
    const initial = initialParameters(config, table, train.seed);
    gpu.write(views.params, layout ? initialFactors(layout, initial, train.seed) : initial);
    const factorization = layout && new Factorization(gpu, layout, views);
    const adam = new Adam(gpu, { elements, decay: train.optimizer === 'adam' ? 'l2' : 'decoupled' });
    const weights = factorization?.weights ?? views.params;
    const lend = model.lend.bind(model);
    const plan = spectralPlan(experiment, config);
    const rank = new RankControl(gpu, { experiment, matrices, params: views.params, weights, layout, plan, lend });
    const flight = new Flight(gpu, views.metrics.size + rank.statusBytes);
    const extra = [factorization?.weights, views.ema, views.scaling].filter((view) => view !== undefined);
    const snapshots = new Snapshotter(gpu, [...[views.params, adam.m, adam.v, ...extra].map(savedView), ...rank.stateViews], () =>
      rank.saveState(),
    );
    return { table, tuning, model, views, adam, rank, flight, snapshots, factorization };
  };
  try {
    return await gpu.guard('the training run', allocate);
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Frees them; nothing of the run may be under way. */
export function disposeParts({ snapshots, flight, rank, model, factorization, adam, views }: RunParts): void {
  for (const part of [snapshots, flight, rank, model, factorization, adam, views]) part?.dispose();
}
