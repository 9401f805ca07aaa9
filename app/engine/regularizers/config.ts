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

const Q3R_FIELDS: readonly MethodField[] = [
  'targetRank',
  'rankRule',
  'lambda',
  'reweightEvery',
  'epsilonSchedule',
  'epsilonN',
  'svd',
  'oversample',
  'powerIterations',
];

/** The fields of the method that a technique reads, `name` aside. */
export function fieldsOf(name: TechniqueName): ReadonlySet<MethodField> {
  const { regularizer, factors } = TECHNIQUES[name];
  const used = new Set<MethodField>();
  if (regularizer === 'q3r') for (const field of Q3R_FIELDS) used.add(field);
  if (regularizer === 'hoyer') for (const field of ['lambda', 'reweightEvery'] as const) used.add(field);
  if (factors === 'lora') for (const field of ['loraRank', 'loraAlpha'] as const) used.add(field);
  if (factors === 'lorita') used.add('loritaDepth');
  if (regularizer !== 'none' || factors !== 'none') used.add('targetModules').add('fuseQkv');
  // The wall draws a target rank for every run, so that they can be compared.
  else used.add('targetRank').add('rankRule').add('fuseQkv');
  if (factors === 'none') used.add('targetRank').add('rankRule');
  return used;
}
