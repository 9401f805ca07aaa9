import type { CutChoice } from './truncation';

/** What a model says of images, and what it looked at. Softmax, best classes and confusion are computed here for both sides. */

/** Classes kept of each prediction. */
export const TOP = 3;
/** Images that may be looked into at once. */
export const MAX_INSPECTED = 16;

/** Predictions on a list of images. */
export interface Predictions {
  /** The most probable classes of each image, first the predicted one: [count, k], k = min(TOP, classes). */
  readonly top: Uint16Array;
  /** Their probabilities, [count, k]. */
  readonly probability: Float32Array;
  /** Share predicted right, in [0, 1]. */
  readonly accuracy: number;
}

/** Predictions on the first test images. */
export interface Survey {
  /** The weights are those after this step. */
  readonly step: number;
  /** They are the running average of the weights. */
  readonly average: boolean;
  readonly count: number;
  /** Outputs of the model. */
  readonly classes: number;
  /** k of `Predictions`. */
  readonly best: number;
  /** [count]. */
  readonly labels: Uint16Array;
  /** Of the model as it is. */
  readonly full: Predictions;
  /** Of the truncated model, where it was asked for. */
  readonly cut: (Predictions & { readonly choice: CutChoice }) | null;
}

/** What attention was paid to, and by whom. */
export interface AttentionShape {
  readonly layers: number;
  readonly heads: number;
  /** T: class token first, then the patches row by row. */
  readonly tokens: number;
  /** Patches along a side of the image. */
  readonly side: number;
  /** Whose: the class token's; or the mean over all patch tokens, where the head reads their mean. */
  readonly query: 'class' | 'mean';
}

/** One model's view of a few images. */
export interface Look {
  /** [count, classes]. */
  readonly logits: Float32Array;
  /** [layers, count, heads, T]; each row of T sums to one. */
  readonly attention: Float32Array;
  /**
   * [layers, count, T]: attention rollout through layers 0 to l, each row of T sums to one; null where a layer's T × T weights are too
   * many to hold.
   */
  readonly rollout: Float32Array | null;
}

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** RGBA, one array an image. */
  readonly images: readonly Uint8ClampedArray[];
}

export interface Inspection {
  readonly step: number;
  readonly average: boolean;
  readonly count: number;
  readonly classes: number;
  readonly shape: AttentionShape;
  readonly full: Look;
  readonly cut: (Look & { readonly choice: CutChoice }) | null;
  /** [count] where the images are test images. */
  readonly labels: Uint16Array | null;
  /** The images at the data set's size, before normalisation; null for images given as normalised numbers. */
  readonly pixels: Pixels | null;
  /** A picture on white was turned into its negative, for a data set that is light on dark. */
  readonly inverted: boolean;
}

/**
 * What to look at: test images by number; a picture, brought to the data set's size as dropped images are (`invert` where the
 * choice is not the engine's); or normalised images [B, C, H, W] of the model's shape.
 */
export type InspectSource =
  { readonly indices: readonly number[] } | { readonly picture: Blob; readonly invert?: boolean } | { readonly images: Float32Array };

/** Commands that look at the current run's model; part of CommandMap. They change nothing of the run. */
export interface InspectionCommands {
  /** Predictions on the first `count` test images, 1,000 when absent. Not `fresh`: truncated weights a moment old will do in a run. */
  survey: { args: { count?: number; cut?: CutChoice; fresh?: boolean }; reply: Survey };
  inspect: { args: { source: InspectSource; cut?: CutChoice; fresh?: boolean }; reply: Inspection };
  /** Test images of the current run's data set. */
  testImages: { args: { indices: readonly number[] }; reply: Pixels };
}

/** Softmax of one row of logits. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] = Math.exp(values[i]! - largest);
  return values.map((v) => v / sum);
}

/** The k most probable classes of a row of logits, and their probabilities; of equal ones the first. */
export function topClasses(logits: ArrayLike<number>, k = TOP): { class: number; probability: number }[] {
  const probabilities = softmax(logits);
  return [...probabilities]
    .map((probability, index) => ({ class: index, probability }))
    .sort((a, b) => b.probability - a.probability || a.class - b.class)
    .slice(0, k);
}

/** Predictions of logits [count, classes]. */
export function predictionsOf(logits: Float32Array, labels: ArrayLike<number>, classes: number): Predictions {
  const count = labels.length;
  const k = Math.min(TOP, classes);
  const top = new Uint16Array(count * k);
  const probability = new Float32Array(count * k);
  let right = 0;
  for (let i = 0; i < count; i++) {
    topClasses(logits.subarray(i * classes, (i + 1) * classes), k).forEach((best, j) => {
      top[i * k + j] = best.class;
      probability[i * k + j] = best.probability;
    });
    if (top[i * k] === labels[i]) right++;
  }
  return { top, probability, accuracy: count > 0 ? right / count : 0 };
}

/** How often each class (row) was taken for each (column): u32 [classes, classes]. */
export function confusionMatrix({ labels, classes, best }: Survey, { top }: Predictions): Uint32Array {
  const out = new Uint32Array(classes * classes);
  labels.forEach((label, i) => out[label * classes + top[i * best]!]!++);
  return out;
}

/** Share of the images that both predict alike. */
export function agreement({ count, best }: Survey, a: Predictions, b: Predictions): number {
  let same = 0;
  for (let i = 0; i < count; i++) if (a.top[i * best] === b.top[i * best]) same++;
  return count > 0 ? same / count : 0;
}
