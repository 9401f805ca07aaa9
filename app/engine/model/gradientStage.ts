import { fuses, type VitPlan } from './memory';
import { headNorm, vitParameters, type VitConfig } from './parameters';

/** Parameters side by side in the arena whose gradients are complete at the same time, and where these pass through a stage. */
export interface GradientWindow {
  /** First element in the arena, and in the stage. */
  readonly first: number;
  readonly at: number;
  readonly elements: number;
}

/** Room for the gradients of one layer at a time, on their way to where those of several passes are added up. */
export interface GradientStage {
  /** Of the stage; about those of a block. */
  readonly elements: number;
  /** Embedding, blocks and head, in the arena's order. */
  readonly windows: readonly GradientWindow[];
}

const aligned = (elements: number): number => Math.ceil(elements / 64) * 64;

/**
 * The stage of a model. All blocks share their place in it, at the same offsets: what pads their parameters is never written, and stays 0.
 * Where a backward pass `fuses`, a layer writes the last bias of the block before it, too, which then belongs to its window.
 */
export function gradientStage(plan: Pick<VitPlan, 'config' | 'training' | 'tuning'>): GradientStage {
  const { config } = plan;
  const { byName, total } = vitParameters(config);
  const start = (name: string): number => byName.get(name)!.offset;
  const blocks = Array.from({ length: config.depth }, (_, i) => start(`blocks.${i}.norm1.weight`));
  const head = start(`${headNorm(config)}.weight`);
  const bias = aligned(config.embedDim);
  const block = (head - blocks[0]!) / config.depth;
  const atBlock = blocks[0]! + bias;
  const atHead = atBlock + block + bias;
  const lead = fuses(plan) ? bias : 0;
  const places = [
    { first: 0, at: 0 },
    ...blocks.map((first, i) => (i === 0 ? { first, at: atBlock } : { first: first - lead, at: atBlock - lead })),
    { first: head - lead, at: atHead - lead },
  ];
  return {
    elements: atHead + total - head,
    windows: places.map((place, i) => ({ ...place, elements: (places[i + 1]?.first ?? total) - place.first })),
  };
}

/** Elements of the stage of a model, whatever the device. */
export const stageElements = (config: VitConfig): number => gradientStage({ config, training: true }).elements;
