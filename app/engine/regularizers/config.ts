import type { methodFields } from './q3r/config';

type Fields = (typeof methodFields)['fields'];
/** The names of `method.name`. */
export type TechniqueName = Extract<Fields[number], { key: 'name' }>['options'][number]['value'];
export type MethodField = Fields[number]['key'];

/** What a technique is made of. */
export interface Technique {
  /** What acts on the matrices, or on the factors where there are any. */
  readonly regularizer: 'none' | 'q3r' | 'hoyer';
  /** Its gradient joins the loss gradient, instead of acting beside Adam. */
  readonly inLoss: boolean;
  /** What the trained weights are: the matrices themselves, A and B of LoRA, or the N factors of LoRITa. */
  readonly factors: 'none' | 'lora' | 'lorita';
  /** One line: why one would choose it. */
  readonly why: string;
}

export const TECHNIQUES: Readonly<Record<TechniqueName, Technique>> = {
  adamw: {
    regularizer: 'none',
    inLoss: false,
    factors: 'none',
    why: 'The dense baseline: nothing acts on the rank. What truncation costs here is what the others have to beat.',
  },
  adamq3r: {
    regularizer: 'q3r',
    inLoss: false,
    factors: 'none',
    why: 'Every step pushes the tail of each spectrum down, beside Adam and outside its moments: the pull is lr · 2λ, whatever the gradients are.',
  },
  q3r: {
    regularizer: 'q3r',
    inLoss: true,
    factors: 'none',
    why: 'The Q3R value is part of the loss; its gradient passes through Adam, which rescales it along with the loss’s.',
  },
  hoyer: {
    regularizer: 'hoyer',
    inLoss: true,
    factors: 'none',
    why: 'λ(‖σ‖₁/‖σ‖₂ − 1) of every matrix joins the loss: it favours few large singular values and needs no target rank.',
  },
  hoyerSquare: {
    regularizer: 'hoyer',
    inLoss: true,
    factors: 'none',
    why: 'λ((‖σ‖₁/‖σ‖₂)² − 1) of every matrix joins the loss: the same idea, with a pull that grows with the rank.',
  },
  lora: {
    regularizer: 'none',
    inLoss: false,
    factors: 'lora',
    why: 'Each matrix is (α/r)·A·B from the start: the rank is a hard limit, and only the thin factors are trained.',
  },
  lorita: {
    regularizer: 'none',
    inLoss: false,
    factors: 'lorita',
    why: 'Each matrix is a product of N factors; weight decay on the factors lowers the rank of the product.',
  },
  loritaQ3r: { regularizer: 'q3r', inLoss: true, factors: 'lorita', why: 'LoRITa with Q3R in the loss, on every factor by its own shape.' },
  loritaAdamq3r: {
    regularizer: 'q3r',
    inLoss: false,
    factors: 'lorita',
    why: 'LoRITa with AdamQ3R on every factor by its own shape.',
  },
};

/**
 * The fields of the method that count with a technique, `name` aside. A target rank that nothing aims at still says where the
 * wall draws its line, so that runs can be compared.
 */
export function fieldsOf(name: TechniqueName): ReadonlySet<MethodField> {
  const { regularizer, factors } = TECHNIQUES[name];
  const used = new Set<MethodField>(['fuseQkv']);
  const add = (...fields: MethodField[]): void => fields.forEach((field) => used.add(field));
  if (factors !== 'lora') add('targetRank', 'rankRule');
  if (factors === 'lora') add('loraRank', 'loraAlpha');
  if (factors === 'lorita') add('loritaDepth');
  if (regularizer !== 'none') add('lambda', 'reweightEvery');
  if (regularizer === 'q3r') add('epsilonSchedule', 'epsilonN', 'svd', 'oversample', 'powerIterations');
  if (regularizer !== 'none' || factors !== 'none') add('targetModules');
  return used;
}
