import type { ReactNode } from 'react';
import type { MethodConfig, TrainConfig } from '../../protocol/experiment';
import type { Mark, MatrixSpectrum } from '../../protocol/messages';
import { Formula } from './Formula';
import { nextEpsilon, pulled, q3rFigures, refreshesUntil, surrogate, type Q3rFigures } from './formulaFigures';
import { formatInt, formatSetting, formatSignificant } from './format';
import { epsilonText, pow } from './formulaText';

/** One step of the walk: a formula with the matrix's numbers, and what it means. */
export interface WalkStep {
  readonly key: string;
  readonly title: ReactNode;
  /** Its figure in short, for the closed step. */
  readonly figure: string;
  readonly body: ReactNode;
}

/** What the formulas are filled with. */
export interface WalkInput {
  readonly matrix: MatrixSpectrum;
  readonly method: MethodConfig;
  readonly train: Pick<TrainConfig, 'adamEps' | 'weightDecay'>;
  /** Learning rate of the last step; the peak before the first. */
  readonly lr: number;
  /** λ of this matrix. */
  readonly lambda: number;
  /** Step of the spectrum. */
  readonly step: number;
  readonly marks: readonly Mark[];
}

const N = (value: number, digits = 4): string => pow(formatSignificant(value, digits));
const S = (value: number): string => pow(formatSetting(value));
/** The same in words: what a screen reader makes of 2.1e−4. */
const W = (value: number, digits = 4): string => formatSignificant(value, digits).replace('−', 'minus ');

/** Surrogate, operator, ε and step of a matrix that Q3R acts on. */
export function q3rSteps(input: WalkInput): WalkStep[] {
  const f = q3rFigures(input.matrix);
  return [surrogateStep(input, f), operatorStep(input, f), epsilonStep(input, f), updateStep(input, f)];
}

const nextIndex = (f: Q3rFigures) => `σ_{${f.r + 1}}`;

function surrogateStep({ matrix }: WalkInput, f: Q3rFigures): WalkStep {
  const { epsilon, above, n } = f;
  return {
    key: 'surrogate',
    title: (
      <>
        Surrogate F<sub>ε</sub>
      </>
    ),
    figure: formatSignificant(f.surrogate),
    body: (
      <>
        <Formula say="f epsilon of sigma is sigma squared over two up to epsilon, and epsilon squared times log of sigma over epsilon plus one half beyond.">
          {'f_ε (σ) = \\cases{ σ^2 / 2 & \\qquad σ ≤ ε ; ε^2 ( \\ln ( σ / ε ) + 1 / 2 ) & \\qquad σ > ε }'}
        </Formula>
        <Formula
          say={`The sum over all ${n} singular values is ${W(f.surrogate)}.`}
        >{`F_ε (W) = ∑_{i=1}^{${n}} f_ε (σ_i) = ${N(f.surrogate)}`}</Formula>
        <Formula say={`At the largest value, ${W(f.largest)}, f is ${W(surrogate(f.largest, epsilon))}.`}>
          {`f_ε (σ_1) = f_ε (${N(f.largest)}) = ${N(surrogate(f.largest, epsilon))}`}
        </Formula>
        <Formula say={`At the first value past the target rank, ${W(f.next)}, f is ${W(surrogate(f.next, epsilon))}.`}>
          {`f_ε (${nextIndex(f)}) = f_ε (${N(f.next)}) = ${N(surrogate(f.next, epsilon))}`}
        </Formula>
        <p>
          {f.waiting
            ? `All ${formatInt(n)} values are below ε, so F is half the sum of squares: nothing is told apart yet. `
            : `The ${formatInt(above)} values above ε make up ${formatSignificant(f.surrogateAbove, 3)} of it, the ${formatInt(n - above)} others ${formatSignificant(f.surrogate - f.surrogateAbove, 3)}. `}
          Up to ε a value costs its square; beyond, only its logarithm, so that large values are almost free to grow.
          {matrix.sigma[0] === 0 && ' This matrix is zero, and so is its surrogate.'}
        </p>
      </>
    ),
  };
}

function operatorStep({ lambda }: WalkInput, f: Q3rFigures): WalkStep {
  const { epsilon, largest, next } = f;
  const one = (name: string, words: string, sigma: number) => (
    <Formula say={`${words}: ${W(sigma)} becomes ${W(pulled(sigma, epsilon))}.`}>
      {sigma > epsilon
        ? `${name} : \\min ( ${N(sigma)} , ε^2 / ${N(sigma)} ) = ${N(pulled(sigma, epsilon))}`
        : `${name} : \\min ( ${N(sigma)} , ε^2 / ${N(sigma)} ) = ${N(sigma)}`}
    </Formula>
  );
  return {
    key: 'operator',
    title: (
      <>
        Operator <i>R</i>(<i>W</i>)
      </>
    ),
    figure: `‖R‖ ${formatSignificant(f.pull)}`,
    body: (
      <>
        <Formula say="R of W, the gradient of F epsilon, is U times the diagonal of the smaller of sigma and epsilon squared over sigma, times V transposed.">
          {'∇ F_ε (W) = R(W) = U \\diag ( \\min ( σ_i , ε^2 / σ_i ) ) V^⊤'}
        </Formula>
        {one('σ_1', 'The largest value', largest)}
        {one(nextIndex(f), 'The first value past the target rank', next)}
        <Formula
          say={`The norm of R of W is ${W(f.pull)}, that of W ${W(f.norm)}.`}
        >{`‖R(W)‖_F = ${N(f.pull)} \\qquad ‖W‖_F = ${N(f.norm)}`}</Formula>
        <Formula say="Lambda times the inner product of W and R of W is lambda times the sum of the smaller of sigma and epsilon, squared.">
          {'λ ⟨ W , R(W) ⟩ = λ ∑_i \\min ( σ_i , ε )^2'}
        </Formula>
        <Formula say={`That is ${W(lambda)} times ${W(f.envelope)}, ${W(lambda * f.envelope)}.`}>
          {`\\qquad = ${S(lambda)} × ${N(f.envelope)} = ${N(lambda * f.envelope)}`}
        </Formula>
        <p>
          {f.waiting
            ? 'While ε is above every value, R(W) is W itself and pulls on all of them alike. '
            : 'Values below ε are pulled in proportion to their size, those above less the larger they are: the head keeps its freedom. '}
          R puts the weight 1/max(σ/ε, 1) on either side of W; the plot shows it.
        </p>
      </>
    ),
  };
}

function epsilonStep({ method, step, marks }: WalkInput, f: Q3rFigures): WalkStep {
  const { epsilonSchedule: schedule, epsilonN, reweightEvery } = method;
  const { epsilon: after, factor } = nextEpsilon(f, schedule, epsilonN, refreshesUntil(step, reweightEvery, marks));
  const before = epsilonText(f);
  const past = nextIndex(f);
  let formula: string;
  let say: string;
  let why: string;
  switch (schedule) {
    case 'default':
      formula = `ε ← \\min ( ε , ${past} ) = \\min ( ${pow(before)} , ${N(f.next)} ) = ${N(after)}`;
      say = `Epsilon becomes the smaller of ${before} and the value past the target rank, ${W(f.next)}.`;
      why = `ε follows the first value past the target rank ${f.r} down and never rises.`;
      break;
    case 'exploration':
      formula = `ε ← ${past} = ${N(after)}`;
      say = `Epsilon becomes the value past the target rank, ${W(after)}.`;
      why = `ε follows the first value past the target rank ${f.r}, up as well as down.`;
      break;
    case 'constant':
      formula = `ε ← N = ${S(after)}`;
      say = `Epsilon stays at N, ${W(after)}.`;
      why = 'ε stays at N, whatever the spectrum does; the target rank has no say.';
      break;
    case 'linear':
      formula = f.waiting
        ? `ε_0 = ${past} = ${N(after)}`
        : `ε_{k+1} = \\max ( c ε_k , 10^{−5} )${Number.isFinite(factor) ? ` = \\max ( ${pow(factor.toFixed(6))} × ${pow(before)} , 10^{−5} )` : ''} = ${N(after)}`;
      say = `Epsilon shrinks by a constant factor to ${W(after)}.`;
      why = `The first refresh sets ε to the value past the target rank ${f.r}; from then on it shrinks by c = (10⁻⁵/ε₀)^(1/N) a refresh, N = ${formatSetting(epsilonN)}, and ends at 10⁻⁵.`;
  }
  return {
    key: 'epsilon',
    title: 'Smoothing ε',
    figure: `${before} → ${formatSignificant(after)}`,
    body: (
      <>
        <Formula say={say}>{formula}</Formula>
        <p>
          {why} {f.waiting ? 'ε is still at its start; the first step begins with a refresh. ' : ''}
          The right side is what the next refresh would find in the weights as they are now. One comes every{' '}
          {reweightEvery === 1 ? 'step' : `${formatInt(reweightEvery)} steps`}.
        </p>
      </>
    ),
  };
}

function updateStep({ method, train, lr, lambda }: WalkInput, f: Q3rFigures): WalkStep {
  const beside = method.name === 'adamq3r' || method.name === 'loritaAdamq3r';
  const rate = 2 * lr * lambda;
  const move = rate * f.pull;
  const decay = train.weightDecay > 0 ? ` − \\lr · ${S(train.weightDecay)} W` : '';
  const adam = `\\lr · \\frac{\\hat{m}}{\\sqrt{\\hat{v}} + ${S(train.adamEps)}}`;
  return {
    key: 'step',
    title: beside ? 'The AdamQ3R step' : 'The step',
    figure: beside ? `2·lr·λ ${formatSignificant(rate, 3)}` : `2λ ${formatSignificant(2 * lambda, 3)}`,
    body: beside ? (
      <>
        <Formula say="W moves against Adam's quotient of moments, and by lr times two lambda R of W besides.">
          {`W ← W − ${adam} − \\lr · 2 λ R(W)${decay}`}
        </Formula>
        <Formula say={`lr is ${W(lr)}, lambda ${W(lambda)}, two lr lambda ${W(rate)}.`}>
          {`\\lr = ${S(lr)} \\qquad λ = ${S(lambda)} \\qquad 2 · \\lr · λ = ${N(rate, 3)}`}
        </Formula>
        <Formula say={`One step moves W by ${W(move, 3)}, of a norm of ${W(f.norm)}.`}>
          {`2 · \\lr · λ · ‖R(W)‖_F = ${N(move, 3)} \\qquad "of " ‖W‖_F = ${N(f.norm)}`}
        </Formula>
        <p>
          R(W) never enters m̂ and v̂, so Adam cannot rescale it: a value below ε shrinks by the factor {formatFactor(1 - rate)} a step,
          beside what the loss does to it.
        </p>
      </>
    ) : (
      <>
        <Formula say="The gradient is that of the loss plus two lambda R of W.">{'G = ∇ L(W) + 2 λ R(W)'}</Formula>
        <Formula say="W moves against Adam's quotient of the moments of G.">{`W ← W − ${adam}${decay}`}</Formula>
        <Formula say={`lr is ${W(lr)}, two lambda ${W(2 * lambda)}; the norm of two lambda R of W is ${W(2 * lambda * f.pull)}.`}>
          {`\\lr = ${S(lr)} \\qquad 2 λ = ${N(2 * lambda, 3)} \\qquad ‖2 λ R(W)‖_F = ${N(2 * lambda * f.pull, 3)}`}
        </Formula>
        <p>
          R(W) is part of G and passes through m̂ and v̂: Adam divides it by the size of the whole gradient, so that its pull depends on the
          loss, too.
        </p>
      </>
    ),
  };
}

/** A factor next to 1 without losing what makes it differ. */
function formatFactor(factor: number): string {
  const off = 1 - factor;
  if (off >= 1e-3 || off <= 0) return formatSignificant(factor, 4);
  return `1 − ${formatSignificant(off, 2)}`;
}
