import { rngU32, rngWgsl, STREAM } from '../rng';
import { expand, fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import source from './gather.wgsl?raw';
import orderSource from './order.wgsl?raw';
import shards from './shards.wgsl?raw';

/** Shards a data set may have: what is left of the eight storage buffers of the default limits. */
export const MAX_SHARDS = 4;
/** Channels an image may have: one component of a vec4 each. */
export const MAX_CHANNELS = 4;
/** Border of black pixels around an image before it is cropped, as in the usual CIFAR recipe. */
export const CROP_PAD = 4;
const ROUNDS = 6;

const params = fields(
  'u32 batch, u32 first, u32 channels, u32 size, u32 count, u32 per_shard, u32 pad, u32 flip, ' +
    'f32 scale0, f32 scale1, f32 scale2, f32 scale3, f32 shift0, f32 shift1, f32 shift2, f32 shift3',
);
/** The head, the data set and the batch it becomes: what every kernel that reads the data set binds. */
export const gatherBindings = (head: string): KernelSpec['bindings'] => [
  { name: head, access: 'read' },
  ...Array.from({ length: MAX_SHARDS }, (_, i) => ({ name: `shard${i}`, access: 'read' }) as const),
  { name: 'classes', access: 'read' },
  { name: 'images', access: 'readwrite' },
  { name: 'labels', access: 'readwrite' },
];
const constants = { WG: 64 };

/** WGSL of the data set's bindings and bytes. */
export const shardsWgsl: string = shards;
/** WGSL of `sample_at` and `crop_of`, with what they need but the binding of the StepState. */
export const orderWgsl = `${stepStateWgsl}${rngWgsl}
const STREAM_SHUFFLE = ${STREAM.shuffle}u;
const STREAM_AUGMENT = ${STREAM.augment}u;
${orderSource}`;

/** Shuffled and augmented batch of the place that the StepState names. */
export const gatherTrain: KernelSpec = {
  name: 'gather/train',
  code: expand(source, {
    source: `${orderWgsl}@group(0) @binding(1) var<storage, read> state: StepState;`,
    shards,
    choose: `fn choose(b: u32) -> Choice {
  let chosen = sample_at(p.first + b);
  if (state.augment == 0u) { return Choice(chosen.x, p.pad, p.pad, false); }
  let crop = crop_of(chosen.y, chosen.x, p.pad, p.flip);
  return Choice(chosen.x, crop.x, crop.y, crop.z == 1u);
}`,
  }),
  params,
  bindings: gatherBindings('state'),
  constants,
};

/** Samples in order, without augmentation; `first` is one u32. */
export const gatherSequential: KernelSpec = {
  name: 'gather/sequential',
  code: expand(source, {
    source: '@group(0) @binding(1) var<storage, read> first_sample: array<u32>;',
    shards,
    choose: `fn choose(b: u32) -> Choice {
  return Choice(min(first_sample[0] + b, p.count - 1u), p.pad, p.pad, false);
}`,
  }),
  params,
  bindings: gatherBindings('first_sample'),
  constants,
};

function shuffled(key: number, place: number, count: number): number {
  const half = Math.max(1, Math.floor((33 - Math.clz32(count - 1)) / 2));
  const mask = 2 ** half - 1;
  let k = place;
  do {
    let l = k >>> half;
    let r = k & mask;
    for (let round = 0; round < ROUNDS; round++) {
      const mixed = l ^ (rngU32(key, round, r) & mask);
      l = r;
      r = mixed;
    }
    k = ((l << half) | r) >>> 0;
  } while (k >= count);
  return k;
}

/** Index of the sample at `position` of an epoch of `count` samples, counted from 0; a position past the end is in the next epoch. */
export function sampleIndex(seed: number, epoch: number, position: number, count: number): number {
  const at = epoch + Math.floor(position / count);
  return shuffled(rngU32(seed, STREAM.shuffle, at), position % count, count);
}

export interface Crop {
  /** Offset of the crop in the padded image, 0 … 2 pad; pad is the middle. */
  readonly dx: number;
  readonly dy: number;
  readonly flip: boolean;
}

/** The crop and flip that a sample gets in an epoch; flipping comes after cropping. */
export function augmentation(seed: number, epoch: number, sample: number, pad: number = CROP_PAD): Crop {
  const bits = rngU32(rngU32(seed, STREAM.augment, epoch), 0, sample);
  const span = 2 * pad + 1;
  return { dx: bits % span, dy: Math.floor(bits / span) % span, flip: Math.floor(bits / (span * span)) % 2 === 1 };
}
