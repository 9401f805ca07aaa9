import { defaultExperiment, patchExperiment, type DeepPartial, type Experiment } from '../../protocol/experiment';
import type { MatrixSpectrum } from '../../protocol/messages';
import type { CutLine } from './lesson';

/** One block of width 48: six matrices, and a step that takes a software adapter some hundredths of a second. */
export const lessonExperiment = (patch: DeepPartial<Experiment> = {}): Experiment =>
  patchExperiment(
    patchExperiment(defaultExperiment(), {
      model: { patchSize: 8, embedDim: 48, depth: 1, numHeads: 4, mlpRatio: 2 },
      train: { batchSize: 16, steps: 2000, lrSchedule: 'constant', warmupSteps: 20, lr: 4e-3, evalEvery: 0, evalCount: 400 },
      method: { lambda: 0, targetRank: 4, reweightEvery: 5, epsilonSchedule: 'exploration' },
    }),
    patch,
  );

const FLOOR = 1e-6;
/** Geometric mean of all matrices' singular values with index in [from, to) of each; σ below 1e−6 counts as 1e−6. */
export function level(matrices: readonly MatrixSpectrum[], from: (m: MatrixSpectrum) => number, to: (m: MatrixSpectrum) => number): number {
  let sum = 0;
  let count = 0;
  for (const m of matrices)
    for (let i = from(m); i < Math.min(to(m), m.sigma.length); i++) {
      sum += Math.log(Math.max(FLOOR, m.sigma[i]!));
      count++;
    }
  return count > 0 ? Math.exp(sum / count) : Number.NaN;
}
export const headLevel = (ms: readonly MatrixSpectrum[]): number =>
  level(
    ms,
    () => 0,
    (m) => m.targetRank,
  );
/** Past the target rank, without the last quarter, which is small in any random matrix. */
export const tailLevel = (ms: readonly MatrixSpectrum[]): number =>
  level(
    ms,
    (m) => m.targetRank,
    (m) => Math.ceil(0.75 * m.sigma.length),
  );

/**
 * How singular values moved while the target ranks of their matrices went from those of `before` to those of `after`: the ratio of those
 * between the old and the new target, NaN where no target moved, and of those past both, without the last quarter.
 */
export function betweenTargets(before: readonly MatrixSpectrum[], after: readonly MatrixSpectrum[]): { between: number; past: number } {
  const targets = new Map<string, readonly [number, number]>();
  for (const { name, targetRank: now } of after) {
    const old = before.find((m) => m.name === name)?.targetRank ?? now;
    targets.set(name, [Math.min(old, now), Math.max(old, now)]);
  }
  const low = ({ name, targetRank }: MatrixSpectrum): number => targets.get(name)?.[0] ?? targetRank;
  const high = ({ name, targetRank }: MatrixSpectrum): number => targets.get(name)?.[1] ?? targetRank;
  const end = (m: MatrixSpectrum): number => Math.ceil(0.75 * m.sigma.length);
  return { between: level(after, low, high) / level(before, low, high), past: level(after, high, end) / level(before, high, end) };
}

/** Mean share of the singular values that hold `part` of the squares' sum, in [0, 1]. */
export function shareFor(matrices: readonly MatrixSpectrum[], part: number): number {
  const shares = matrices.map(({ sigma }) => {
    const total = sigma.reduce((a, s) => a + s * s, 0);
    let sum = 0;
    let k = 0;
    while (k < sigma.length && sum < part * total) sum += sigma[k++]! ** 2;
    return k / sigma.length;
  });
  return shares.reduce((a, b) => a + b, 0) / Math.max(1, shares.length);
}

/** The guesses for what a cut leaves, as `leftAfter` counts them. */
export const LEFT = [
  { label: 'Nearly all of it', sketch: 'barFull' },
  { label: 'A part of it', sketch: 'barHalf' },
  { label: 'Hardly more than guessing', sketch: 'barLow' },
] as const;
/** What is said of them when it is known. */
export const LEFT_TITLE = ['Nearly all of it is left.', 'A part of it is left.', 'Hardly anything is left.'] as const;

/** The guess for what a cut leaves: nearly all, a part, hardly anything beyond what guessing among `classes` gives. */
export function leftAfter(full: number, cut: number, classes = 10): 0 | 1 | 2 {
  const above = Math.max(1e-9, full - 1 / classes);
  const left = (cut - 1 / classes) / above;
  return left >= 0.85 ? 0 : left >= 0.3 ? 1 : 2;
}

/** Smallest share measured from which on no cut loses more than `loss` of accuracy; 1 where none does. */
export function smallestShare({ full, cuts }: CutLine, loss: number): number {
  let best = 1;
  for (const { fraction, accuracy } of [...cuts].sort((a, b) => b.fraction - a.fraction)) {
    if (accuracy < full - loss) break;
    best = fraction;
  }
  return best;
}

export const cutAt = ({ cuts }: CutLine, fraction: number): number => cuts.find((c) => c.fraction === fraction)?.accuracy ?? Number.NaN;

/** "3.2 times", for sentences about a ratio. */
export const times = (ratio: number): string => `${ratio >= 10 ? Math.round(ratio) : Number(ratio.toPrecision(2))} times`;
/** "78.1 %"; a dash for what was not measured. */
export const percent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–');

/** "grew 2.1 times" or "fell to 4 %". */
export const moved = (ratio: number): string =>
  ratio >= 1.05
    ? `grew ${times(ratio)}`
    : ratio <= 0.95
      ? `fell to ${Number((100 * ratio).toPrecision(2))} % of what it was`
      : 'stayed where it was';
