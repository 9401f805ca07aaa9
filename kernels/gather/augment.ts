import { rngU32, rngUniform, rngWgsl, STREAM } from '../rng';
import { expand, fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import colourSource from './colour.wgsl?raw';
import drawSource from './draw.wgsl?raw';
import drawRecordSource from './drawRecord.wgsl?raw';
import { augmentation, CROP_PAD, gatherBindings, MAX_CHANNELS, orderWgsl, shardsWgsl } from './gather';
import mixSource from './mix.wgsl?raw';
import resampleSource from './resample.wgsl?raw';
import warpSource from './warp.wgsl?raw';

/** Operations of strong augmentation, numbered as in draw.wgsl. */
export const OPERATIONS = [
  'identity',
  'shearX',
  'shearY',
  'shiftX',
  'shiftY',
  'rotate',
  'brightness',
  'saturation',
  'contrast',
  'posterize',
  'solarize',
  'autocontrast',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Amounts as torchvision's RandAugment has them at magnitude 9 of 30; jitter and erasing as is usual beside it. */
export const STRONG = {
  OPERATIONS: OPERATIONS.length,
  SHEAR: 0.09,
  /** Share of the side. */
  SHIFT: ((150 / 331) * 9) / 30,
  /** Radians. */
  ROTATE: (9 * Math.PI) / 180,
  FACTOR: 0.27,
  /** Levels that become one. */
  POSTERIZE: '2.0',
  SOLARIZE: 178.5,
  JITTER: 0.4,
  ERASE: 0.25,
  LOG_ASPECT: -Math.log(0.3),
} as const;

/** Bytes of one record of draw.wgsl. */
export const DRAW_BYTES = 88;

/** What is drawn for one strongly augmented image; see draw.wgsl. */
export interface Draw {
  readonly sample: number;
  readonly key: number;
  /** Left, top, right, bottom. */
  readonly box: readonly number[];
  /** [a00, a01, a10, a11]. */
  readonly a: readonly number[];
  readonly t: readonly number[];
  readonly kinds: readonly number[];
  readonly amounts: readonly number[];
}

/** Draws the records of a batch. */
export const drawStrong: KernelSpec = {
  name: 'gather/draw',
  code: `${orderWgsl}${drawRecordSource}${expand(drawSource, STRONG)}`,
  params: fields('u32 batch, u32 first, u32 pad, u32 flip, u32 size, u32 out'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'draws', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

/** The bytes of a batch behind the maps of its records. */
export const warp: KernelSpec = {
  name: 'gather/warp',
  code: `${drawRecordSource}${expand(warpSource, { shards: shardsWgsl })}`,
  params: fields('u32 batch, u32 channels, u32 size, u32 per_shard'),
  bindings: gatherBindings('draws'),
  constants: { WG: 64 },
};

/** The colour operations of the records, in place. */
export const colour: KernelSpec = {
  name: 'gather/colour',
  code: `${drawRecordSource}${colourSource}`,
  params: fields('u32 batch, u32 channels, u32 plane'),
  bindings: [
    { name: 'draws', access: 'read' },
    { name: 'staged', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

const resampleSpec = (erase: boolean): KernelSpec => ({
  name: `gather/resample${erase ? '.erase' : ''}`,
  code: (erase ? `${rngWgsl}${drawRecordSource}` : '') + expand(resampleSource, { ERASE: erase ? 1 : 0, OUT_BINDING: erase ? 3 : 2 }),
  params: fields(
    'u32 pixels, u32 channels, u32 outputs, u32 size, u32 out, ' +
      'f32 scale0, f32 scale1, f32 scale2, f32 scale3, f32 shift0, f32 shift1, f32 shift2, f32 shift3',
  ),
  bindings: [
    { name: 'staged', access: 'read' },
    ...(erase ? [{ name: 'draws', access: 'read' } as const] : []),
    { name: 'images', access: 'readwrite' },
  ],
  constants: { WG: 64 },
});
/** Staged images at the model's size, normalised. */
export const resample: KernelSpec = resampleSpec(false);
/** The same, with the boxes of the records erased. */
export const resampleErase: KernelSpec = resampleSpec(true);

/** Mixup and cutmix of a batch with its flipped order, in place. */
export const mixImages: KernelSpec = {
  name: 'gather/mix',
  code: `${stepStateWgsl}${mixSource}`,
  params: fields('u32 batch, u32 pixels, u32 size'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'images', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

/** Channels a model may take from images of `channels`: as many, or any number where there is one to repeat. */
export const canFeed = (channels: number, outputs: number): boolean => outputs === channels || (channels === 1 && outputs <= MAX_CHANNELS);

type Matrix = readonly number[];
/** Product of two affine maps [a00, a01, t0, a10, a11, t1]. */
const compose = ([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix => [
  a! * g! + b! * j!,
  a! * h! + b! * k!,
  a! * i! + b! * l! + c!,
  d! * g! + e! * j!,
  d! * h! + e! * k!,
  d! * i! + e! * l! + f!,
];

function geometric(operation: number, x: number): Matrix {
  const [c, s] = [Math.cos(x), Math.sin(x)];
  switch (OPERATIONS[operation]) {
    case 'shearX':
      return [1, x, 0, 0, 1, 0];
    case 'shearY':
      return [1, 0, 0, x, 1, 0];
    case 'shiftX':
      return [1, 0, x, 0, 1, 0];
    case 'shiftY':
      return [1, 0, 0, 0, 1, x];
    case 'rotate':
      return [c, -s, 0, s, c, 0];
    default:
      return [1, 0, 0, 0, 1, 0];
  }
}

function amountOf(operation: number, sign: number, size: number): number {
  const { SHEAR, SHIFT, ROTATE, FACTOR, POSTERIZE, SOLARIZE } = STRONG;
  if (operation === 1 || operation === 2) return sign * SHEAR;
  if (operation === 3 || operation === 4) return sign * Math.floor(SHIFT * size);
  if (operation === 5) return sign * ROTATE;
  if (operation >= 6 && operation <= 8) return 1 + sign * FACTOR;
  return operation === 9 ? Number(POSTERIZE) : operation === 10 ? SOLARIZE : 0;
}

/** What gather/draw draws for a sample in an epoch. `size` is the side of the data set's images, `out` that of the model's input. */
export function strongAugmentation(
  seed: number,
  epoch: number,
  sample: number,
  { size, out, flip = true, pad = CROP_PAD }: { size: number; out: number; flip?: boolean; pad?: number },
): Draw {
  const crop = augmentation(seed, epoch, sample, pad);
  const key = rngU32(rngU32(seed, STREAM.augment, epoch), 1, sample);
  const uniform = (counter: number): number => rngUniform(rngU32(key, 1, counter));
  let map: Matrix = [flip && crop.flip ? -1 : 1, 0, crop.dx - pad, 0, 1, crop.dy - pad];
  const kinds = [0, 0, 6, 8, 7];
  const amounts = [0, 0, ...[2, 3, 4].map((k) => 1 + STRONG.JITTER * (2 * uniform(k) - 1))];
  for (let k = 0; k < 2; k++) {
    const operation = rngU32(key, 2, k) % OPERATIONS.length;
    const amount = amountOf(operation, uniform(k) < 0.5 ? -1 : 1, size);
    if (operation < 6) map = compose(map, geometric(operation, amount));
    else {
      kinds[k] = operation;
      amounts[k] = amount;
    }
  }
  let box = [0, 0, 0, 0];
  if (uniform(5) < STRONG.ERASE) {
    const area = (0.02 + uniform(6) * (1 / 3 - 0.02)) * out * out;
    const aspect = Math.exp((2 * uniform(7) - 1) * STRONG.LOG_ASPECT);
    const width = Math.min(out, Math.round(Math.sqrt(area / aspect)));
    const height = Math.min(out, Math.round(Math.sqrt(area * aspect)));
    const left = Math.floor(uniform(8) * (out - width + 1));
    const top = Math.floor(uniform(9) * (out - height + 1));
    box = [left, top, left + width, top + height];
  }
  const [a00, a01, t0, a10, a11, t1] = map as [number, number, number, number, number, number];
  return { sample, key, box, a: [a00, a01, a10, a11], t: [t0, t1], kinds, amounts };
}

/** Unpacks record `index` of a block of records read back from the GPU. */
export function readDraw(bytes: ArrayBuffer, index: number): Draw {
  const u = new Uint32Array(bytes, index * DRAW_BYTES, DRAW_BYTES / 4);
  const f = new Float32Array(bytes, index * DRAW_BYTES, DRAW_BYTES / 4);
  return {
    sample: u[0]!,
    key: u[1]!,
    box: [...u.subarray(2, 6)],
    a: [...f.subarray(6, 10)],
    t: [...f.subarray(10, 12)],
    kinds: [...u.subarray(12, 17)],
    amounts: [...f.subarray(17, 22)],
  };
}
