import type { Experiment } from '../../protocol/experiment';
import type { MatrixPlan, PlanReport } from '../../protocol/messages';
import type { DeviceInfo } from '../gpu/device';
import { weightMatrices, type MatrixModule, type WeightMatrix } from '../model/matrices';
import { activationElements, stepFlops } from '../model/memory';
import { vitParameters, type VitConfig } from '../model/parameters';
import { q3rBytes } from '../regularizers/q3r/regularizer';
import { targetRank } from '../regularizers/q3r/targetRank';
import type { Counts } from './datasets';
import { resolveModel } from './datasets';

/** A matrix of the wall with its place in the parameter arena. */
export interface PlannedMatrix extends MatrixPlan {
  /** First element. */
  readonly offset: number;
}

/** Matrices of the wall: all of the blocks, and head and patch embedding where the method targets them. */
export function planMatrices(experiment: Experiment, config: VitConfig): PlannedMatrix[] {
  const { method } = experiment;
  const targeted = new Set<MatrixModule>(method.targetModules);
  return weightMatrices(config, vitParameters(config), method.fuseQkv)
    .filter((m) => m.block >= 0 || targeted.has(m.module))
    .map((m: WeightMatrix): PlannedMatrix => {
      const rank = targetRank(method.targetRank, m.rows, m.cols, method.rankRule);
      const { name, block, kind, offset, rows, cols } = m;
      const regularized = method.name !== 'adamw' && targeted.has(m.module) && rank < Math.min(rows, cols);
      return { name, block, kind, offset, rows, cols, targetRank: rank, regularized };
    });
}

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
  const reason = whyNot(report, experiment, device.info);
  if (reason === undefined) return report;
  const nearest = nearestFit(experiment, device);
  const { model, train } = nearest;
  return {
    ...report,
    refusal: {
      reason,
      nearest,
      nearestText: `${model.depth} blocks of width ${model.embedDim}, batch ${train.batchSize}`,
    },
  };
}

function figures(experiment: Experiment, { gflops, counts }: Device): PlanReport {
  const config = resolveModel(experiment);
  const { train, method } = experiment;
  const table = vitParameters(config);
  const matrices = planMatrices(experiment, config);
  const arena = table.total * 4;
  const training = activationElements(config, train.batchSize, true);
  const evaluation = activationElements(config, Math.min(256, Math.max(1, train.evalCount)), false);
  const pixels = config.inChannels * config.imageSize ** 2;
  const bytes = {
    weights: 2 * arena,
    optimizer: (method.name === 'adamq3r' ? 3 : 2) * arena,
    activations: 4 * (training.total + evaluation.total),
    q3r: q3rBytes(matrices, method.name !== 'adamw'),
    data: (counts.train + counts.test) * (pixels + 1),
  };
  const flops = stepFlops({ config, batch: train.batchSize, training: true });
  const stepsPerEpoch = Math.max(1, Math.ceil(counts.train / train.batchSize));
  const secondsPerStep = (flops.forward + flops.backward) / (gflops * 1e9 * STEP_EFFICIENCY);
  return {
    parameters: table.count,
    bytes: { ...bytes, total: Object.values(bytes).reduce((a, b) => a + b, 0) },
    matrices: matrices.map(({ offset: _, ...plan }) => plan),
    stepsPerEpoch,
    secondsPerEpoch: gflops > 0 ? secondsPerStep * stepsPerEpoch : null,
  };
}

const mib = (bytes: number): string => (bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`);

/** Why the device cannot hold it; undefined when it can. */
function whyNot(report: PlanReport, experiment: Experiment, info: DeviceInfo): string | undefined {
  const config = resolveModel(experiment);
  const { largest } = activationElements(config, experiment.train.batchSize, true);
  const limit = Math.min(info.maxStorageBufferBindingSize, info.maxBufferSize);
  if (largest.elements * 4 > limit)
    return `One activation (${largest.name}) of a batch of ${experiment.train.batchSize} takes ${mib(largest.elements * 4)}, and this device binds at most ${mib(limit)} at once.`;
  const arena = vitParameters(config).total * 4;
  if (arena > limit) return `The weights take ${mib(arena)}, and this device binds at most ${mib(limit)} at once.`;
  const budget = info.software ? MEMORY_BUDGET.software : MEMORY_BUDGET.hardware;
  if (report.bytes.total > budget)
    return `The run would take ${mib(report.bytes.total)} of graphics memory; at most ${mib(budget)} are used on this kind of device.`;
  return undefined;
}

/** The largest smaller experiment that fits: half the batch down to 16, then half the blocks, then half the width. */
function nearestFit(experiment: Experiment, device: Device): Experiment {
  const next = structuredClone(experiment);
  for (let i = 0; i < 64; i++) {
    if (whyNot(figures(next, device), next, device.info) === undefined) break;
    if (next.train.batchSize > 16) next.train.batchSize = Math.max(16, next.train.batchSize >> 1);
    else if (next.model.depth > 2) next.model.depth = Math.max(2, next.model.depth >> 1);
    else if (next.model.embedDim / next.model.numHeads > 8)
      next.model.embedDim = next.model.numHeads * Math.max(8, (next.model.embedDim / next.model.numHeads) >> 1);
    else if (next.train.batchSize > 1) next.train.batchSize >>= 1;
    else if (next.model.depth > 1) next.model.depth = 1;
    else break;
  }
  return next;
}
