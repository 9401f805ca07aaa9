import { notInFours, type Experiment } from '../../protocol/experiment';
import type { PlanReport } from '../../protocol/messages';
import type { DeviceInfo } from '../gpu/device';
import { factorBytes, productFlops } from '../factorization/layout';
import { truncationBytes } from '../model/factored';
import { SvdBatch } from '../linalg/svdBatch';
import { stageElements } from '../model/gradientStage';
import { activationElements, elementsBeside, stepFlops } from '../model/memory';
import { weightMatrices, type WeightMatrix } from '../model/matrices';
import { vitParameters, type VitConfig } from '../model/parameters';
import { q3rBytes } from '../regularizers/q3r/regularizer';
import { DATASET_CONFIGS } from '../data/config';
import { stageBytes } from '../ops/stage';
import type { Counts } from './datasets';
import { resolveModel } from './datasets';
import { actedMatrices, planOf, planFactors, planMatrices, techniqueOf } from './matrices';
import { evaluationBatch, partSize, storesHalves, spectralPlan, trainingActivations } from './recipe';

export { planMatrices, type PlannedMatrix } from './matrices';

/** Most parts of a batch. */
const MAX_PARTS = 256;

/** Matrices that a truncation replaces: all that the method names, in dense runs too; Q, K and V are three. */
export const truncatedMatrices = ({ method }: Experiment, config: VitConfig): WeightMatrix[] =>
  weightMatrices(config, vitParameters(config), false).filter((m) => method.targetModules.includes(m.module));

/** Bytes a device is trusted with, as WebGPU does not tell how much memory there is. */
const MEMORY_BUDGET = { software: 2 * 2 ** 30, hardware: 6 * 2 ** 30 };
/** Share of the measured GEMM rate that a whole step reaches: launches, small products and everything that is no product. */
const STEP_EFFICIENCY = 0.35;

interface Device {
  readonly info: DeviceInfo;
  readonly gflops: number;
  readonly counts: Counts;
}

/** What an experiment will need; with a refusal when this device cannot hold it. */
export function planExperiment(experiment: Experiment, device: Device): PlanReport {
  const report = figures(experiment, device);
  const reason = whyNot(report, experiment, device);
  if (reason === undefined) return report;
  const nearest = nearestFit(experiment, device);
  const { model, train } = nearest;
  return {
    ...report,
    refusal: {
      reason,
      nearest,
      nearestText: `${model.depth} blocks of width ${model.embedDim}, batch ${train.batchSize}${train.accumulate > 1 ? ` in ${train.accumulate} parts` : ''}`,
    },
  };
}

function figures(experiment: Experiment, { gflops, counts }: Device): PlanReport {
  const config = resolveModel(experiment, counts.shape);
  const { train, method } = experiment;
  const effective = vitParameters(config);
  const matrices = planMatrices(experiment, config);
  const layout = planFactors(experiment, config, matrices);
  const acted = actedMatrices(matrices, method, layout);
  const table = layout?.trained ?? effective;
  const arena = table.total * 4;
  const rows = partSize(experiment);
  const evalRows = evaluationBatch(experiment, config);
  const training = trainingActivations(experiment, config);
  const halves = storesHalves(experiment);
  const evaluation = activationElements(config, evalRows, false, { hosts: training.items, halves });
  const { imageSize, channels } = counts.shape ?? DATASET_CONFIGS[experiment.dataset];
  const pixels = channels * imageSize ** 2;
  const stage = (batch: number, strong: boolean): number => {
    const to = { imageSize: config.imageSize, channels: config.inChannels };
    const { pixels, draws } = stageBytes({ from: { imageSize, channels }, to, batch, strong });
    return pixels + draws;
  };
  const bytes = {
    // The running average, and a stage for the gradients of a part beside those of the batch.
    weights:
      2 * arena +
      (layout ? factorBytes(layout) : 0) +
      4 * ((train.emaDecay > 0 ? effective.total : 0) + (train.accumulate > 1 ? stageElements(config) : 0)),
    optimizer: 2 * arena,
    activations: 4 * (training.total + evaluation.total) + stage(rows, train.augment === 'strong') + stage(evalRows, false),
    q3r:
      SvdBatch.bytesFor(matrices, false, true) +
      (techniqueOf(method).regularizer === 'q3r' ? q3rBytes(acted, method) : SvdBatch.bytesFor(acted, true, true)) +
      4 * elementsBeside(spectralPlan(experiment, config).items, training.items),
    data: (counts.train + counts.test) * (pixels + 2),
  };
  const kept = (o: { recompute?: boolean; halves?: boolean }): number =>
    4 * activationElements(config, rows, true, { recompute: train.recompute, halves, ...o }).total;
  const flops = stepFlops({ config, batch: rows, training: true, recompute: train.recompute });
  const stepsPerEpoch = Math.max(1, Math.ceil(counts.train / train.batchSize));
  const composing = layout ? productFlops(layout) : 0;
  const secondsPerStep = (train.accumulate * (flops.forward + flops.backward) + composing) / (gflops * 1e9 * STEP_EFFICIENCY);
  return {
    parameters: table.count,
    bytes: {
      ...bytes,
      total: Object.values(bytes).reduce((a, b) => a + b, 0),
      truncation: truncationBytes(truncatedMatrices(experiment, config), effective.total, {
        config,
        batch: evalRows,
        training: false,
        halves,
      }),
    },
    activations: {
      ...{ kept: kept({ recompute: false }), recomputed: kept({ recompute: true }) },
      ...{ f32: kept({ halves: false }), mixed: notInFours(experiment.model) ? null : kept({ halves: true }) },
    },
    matrices: matrices.map(planOf),
    stepsPerEpoch,
    secondsPerEpoch: gflops > 0 ? secondsPerStep * stepsPerEpoch : null,
  };
}

const mib = (bytes: number): string => (bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`);

/** Why the device cannot hold it; undefined when it can. */
function whyNot(report: PlanReport, experiment: Experiment, { info, counts }: Device): string | undefined {
  const config = resolveModel(experiment, counts.shape);
  const rows = partSize(experiment);
  const { largest } = trainingActivations(experiment, config);
  const limit = Math.min(info.maxStorageBufferBindingSize, info.maxBufferSize);
  if (largest.elements * 4 > limit)
    return `One activation (${largest.name}) of ${rows} images takes ${mib(largest.elements * 4)}, and this device binds at most ${mib(limit)} at once.`;
  const layout = planFactors(experiment, config, planMatrices(experiment, config));
  const arena = 4 * Math.max(vitParameters(config).total, layout?.trained.total ?? 0);
  if (arena > limit) return `The weights take ${mib(arena)}, and this device binds at most ${mib(limit)} at once.`;
  const budget = info.software ? MEMORY_BUDGET.software : MEMORY_BUDGET.hardware;
  if (report.bytes.total > budget)
    return `The run would take ${mib(report.bytes.total)} of graphics memory; at most ${mib(budget)} are used on this kind of device.`;
  return undefined;
}

/** Parts with fewer images than this waste a device. */
const SMALLEST_PART = 4;

/**
 * The largest smaller experiment that fits: the batch in more parts, which trains the same; then half the blocks, then half the
 * width; at last a smaller batch.
 */
function nearestFit(experiment: Experiment, device: Device): Experiment {
  const next = structuredClone(experiment);
  const { model, train } = next;
  const fits = (): boolean => whyNot(figures(next, device), next, device) === undefined;
  /** Fewest parts that fit, of at least `smallest` images each; false when none do. */
  const split = (smallest: number): boolean => {
    for (train.accumulate = 1; train.accumulate <= MAX_PARTS; train.accumulate++) {
      if (train.batchSize % train.accumulate !== 0) continue;
      if (train.accumulate > 1 && partSize(next) < smallest) break;
      if (fits()) return true;
    }
    train.accumulate = 1;
    return false;
  };
  for (let i = 0; i < 64; i++) {
    if (split(SMALLEST_PART)) return next;
    // A batch with few divisors, or one beyond so many parts.
    if (train.batchSize > 256) train.batchSize = 256;
    else if (model.depth > 2) model.depth = Math.max(2, model.depth >> 1);
    else if (model.embedDim / model.numHeads > 8) {
      const half = Math.max(8, (model.embedDim / model.numHeads) >> 1);
      // Half precision is stored in fours.
      model.embedDim = model.numHeads * (train.precision === 'mixed' ? half & ~3 : half);
      if (train.precision === 'mixed' && notInFours(model)) train.precision = 'f32';
    } else if (train.batchSize > 1) train.batchSize >>= 1;
    else if (model.depth > 1) model.depth = 1;
    else break;
  }
  return next;
}
