import type { Outcome } from './lesson';
import { moved, percent } from './measure';
import { errorGuess, errorsByRank } from './picture';
import type { SketchName } from './Sketch';

/** Singular values that the randomized steps look for. */
export const WANTED = 12;

export interface RankStep {
  readonly question: (rows: number, cols: number) => string;
  readonly hint: string;
  readonly watch: string;
  readonly guesses: readonly { readonly label: string; readonly sketch: SketchName }[];
  readonly go: string;
  readonly randomized: boolean;
  readonly noise: boolean;
  /** Extra columns and power iterations that the step begins with. */
  readonly sketch: { readonly oversample: number; readonly powerIterations: number };
}
const NEAR = [
  { label: 'All within 1 %', sketch: 'barEven' },
  { label: 'The worst is off by up to a tenth', sketch: 'barFull' },
  { label: 'The worst is off by more', sketch: 'barHalf' },
] as const;
const START = { oversample: 3, powerIterations: 0 };

export const RANK_STEPS: readonly RankStep[] = [
  {
    question: (rows, cols) =>
      `This picture is a matrix of ${rows} × ${cols} numbers. How many of its ${Math.min(rows, cols)} singular values draw it to within 10\u00a0%?`,
    hint: 'A matrix is a sum of simple ones, σ u vᵀ, each a column times a row. Sorted by σ, the first draw the coarse, the last the fine.',
    watch: 'The GPU decomposes the picture: all singular values, by Jacobi rotations.',
    guesses: [
      { label: 'Nearly all of them', sketch: 'flat' },
      { label: 'About half', sketch: 'down' },
      { label: 'A fifth or fewer', sketch: 'peak' },
    ],
    go: 'Decompose',
    randomized: false,
    noise: false,
    sketch: START,
  },
  {
    question: () => 'Now every pixel gets some noise. What happens with the singular values?',
    hint: 'Noise has no structure: no column of it resembles another.',
    watch: 'The same decomposition, of the noisy picture.',
    guesses: [
      { label: 'The large ones grow most', sketch: 'peak' },
      { label: 'The tail rises, the head stays', sketch: 'back' },
      { label: 'All stay as they are', sketch: 'flat' },
    ],
    go: 'Add noise',
    randomized: false,
    noise: true,
    sketch: START,
  },
  {
    question: () => `To find only ${WANTED} values, we look at 16 random mixtures of the columns. How near does that come?`,
    hint: 'The randomized SVD decomposes the small sketch instead of the whole matrix. Training does it every few steps.',
    watch: 'A random sketch on the GPU, then the decomposition of what is in it.',
    guesses: NEAR,
    go: 'Sketch',
    randomized: true,
    noise: false,
    sketch: START,
  },
  {
    question: () => 'We multiply the sketch by A Aᵀ twice more. How near now?',
    hint: 'Each pass of a power iteration multiplies every direction by σ², so the large ones stand out. It costs two products.',
    watch: 'The same sketch, sharpened.',
    guesses: NEAR,
    go: 'Sharpen',
    randomized: true,
    noise: false,
    sketch: { oversample: 3, powerIterations: 2 },
  },
];

/** Smallest rank whose best approximation differs by less than `error`. */
export const rankFor = (s: ArrayLike<number>, error: number): number => errorsByRank(s).findIndex((e) => e < error);

export function judgeFirst(s: ArrayLike<number>): Outcome {
  const rank = Math.max(1, rankFor(s, 0.1));
  const share = rank / s.length;
  return {
    right: share > 0.75 ? 0 : share > 0.2 ? (share > 0.35 ? 1 : null) : 2,
    title: `${rank} of ${s.length}.`,
    text: `With ${rank} singular values the picture differs by less than 10 %. Move the slider: rank is how many such parts a matrix needs.`,
  };
}
export function judgeNoise(clean: ArrayLike<number>, noise: ArrayLike<number>): Outcome {
  const head = noise[0]! / clean[0]!;
  const at = Math.floor(0.6 * clean.length);
  const tail = noise[at]! / Math.max(1e-9, clean[at]!);
  const right = tail > 1.5 && head < 1.2 ? 1 : head > 1.2 && head >= tail ? 0 : tail < 1.2 && head < 1.2 ? 2 : null;
  return {
    right,
    title: right === 1 ? 'The tail rose.' : 'As the figures say.',
    text: `σ₁ ${moved(head)}, σ at index ${at + 1} ${moved(tail)}. Noise fills the tail, so cutting the tail off takes much of the noise away: try the slider.`,
  };
}
export function judgeSketch(error: number, columns: number, passes: number, distanceNow: number, best: number): Outcome {
  return {
    right: errorGuess(error),
    title: `The worst of ${WANTED} is off by ${percent(error)}.`,
    text: `${columns} columns, ${passes} power ${passes === 1 ? 'iteration' : 'iterations'}. The picture drawn from it differs by ${percent(distanceNow)}; the best possible of rank ${WANTED} by ${percent(best)}. Move both sliders: each change is a new sketch on your GPU.`,
  };
}
