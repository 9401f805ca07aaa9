import type { MatrixSpectrum } from '../../protocol/messages';
import { Formula } from './Formula';
import { hoyerFigures, hoyerSlope, schatten } from './formulaFigures';
import { formatInt, formatSetting, formatSignificant } from './format';
import { pow } from './formulaText';
import type { WalkInput, WalkStep } from './formulaSteps';

const N = (value: number, digits = 4): string => pow(formatSignificant(value, digits));
const S = (value: number): string => pow(formatSetting(value));
const W = (value: number, digits = 4): string => formatSignificant(value, digits).replace('−', 'minus ');

/** Measure, gradient and step of a matrix that a Hoyer regularizer acts on. */
export function hoyerSteps({ matrix, method, train, lr, lambda }: WalkInput): WalkStep[] {
  const square = method.name === 'hoyerSquare';
  const f = hoyerFigures(matrix.sigma, square);
  const zero = f.two === 0;
  const first = matrix.sigma[0] ?? 0;
  const last = matrix.sigma.at(-1) ?? 0;
  const growing = matrix.sigma.filter((s) => s > f.threshold).length;
  const slope = (name: string, sigma: number) => (
    <Formula say={`At sigma ${W(sigma)} the slope is ${W(lambda * hoyerSlope(sigma, f, square))}.`}>
      {`λ \\frac{∂ H}{∂ ${name}} = ${N(lambda * hoyerSlope(sigma, f, square))} \\qquad "at " ${name} = ${N(sigma)}`}
    </Formula>
  );
  return [
    {
      key: 'measure',
      title: 'The measure H',
      figure: formatSignificant(f.value),
      body: (
        <>
          <Formula
            say={`H is the sum of the singular values over the root of the sum of their squares${square ? ', squared,' : ''} minus one: ${W(f.value)}.`}
          >
            {`H(W) = ${square ? '( \\frac{‖σ‖_1}{‖σ‖_2} )^2' : '\\frac{‖σ‖_1}{‖σ‖_2}'} − 1 = ${
              zero
                ? '0'
                : square
                  ? `( \\frac{${N(f.one)}}{${N(f.two)}} )^2 − 1 = ${N(f.value)}`
                  : `\\frac{${N(f.one)}}{${N(f.two)}} − 1 = ${N(f.value)}`
            }`}
          </Formula>
          <Formula say={`Lambda H is ${W(lambda * f.value)}.`}>{`λ H(W) = ${S(lambda)} × ${N(f.value)} = ${N(lambda * f.value)}`}</Formula>
          <p>
            {zero
              ? 'This matrix is zero: it has no direction, and nothing is added.'
              : 'H is 0 where a single value is left, and largest where all are equal. It measures shape, not size: scaling W changes nothing.'}
          </p>
        </>
      ),
    },
    {
      key: 'gradient',
      title: 'Its gradient',
      figure: `grows above ${formatSignificant(f.threshold, 3)}`,
      body: (
        <>
          <Formula
            say={
              square
                ? 'The slope at sigma i is two times norm one over norm two squared, times one minus norm one sigma i over norm two squared.'
                : 'The slope at sigma i is one over norm two, minus norm one sigma i over norm two cubed.'
            }
          >
            {square
              ? '\\frac{∂ H}{∂ σ_i} = \\frac{2 ‖σ‖_1}{‖σ‖_2^2} ( 1 − \\frac{‖σ‖_1 σ_i}{‖σ‖_2^2} )'
              : '\\frac{∂ H}{∂ σ_i} = \\frac{1}{‖σ‖_2} − \\frac{‖σ‖_1 σ_i}{‖σ‖_2^3}'}
          </Formula>
          {slope('σ_1', first)}
          {slope(`σ_{${matrix.sigma.length}}`, last)}
          <Formula say={`The slope is zero at ${W(f.threshold)}.`}>{`σ^* = \\frac{‖σ‖_2^2}{‖σ‖_1} = ${N(f.threshold)}`}</Formula>
          <p>
            The {formatInt(growing)} values above σ* are pushed up, the {formatInt(matrix.sigma.length - growing)} others down: the gap
            opens by itself, without a target rank.
          </p>
        </>
      ),
    },
    inLossStep('λ ∇ H(W)', 'lambda times the gradient of H', train.adamEps, lr, lambda),
  ];
}

function inLossStep(term: string, words: string, adamEps: number, lr: number, lambda: number): WalkStep {
  return {
    key: 'step',
    title: 'The step',
    figure: `λ ${formatSetting(lambda)}`,
    body: (
      <>
        <Formula say={`The gradient is that of the loss plus ${words}.`}>{`G = ∇ L(W) + ${term}`}</Formula>
        <Formula say="W moves against Adam's quotient of the moments of G.">
          {`W ← W − \\lr · \\frac{\\hat{m}}{\\sqrt{\\hat{v}} + ${S(adamEps)}}`}
        </Formula>
        <Formula say={`lr is ${W(lr)}, lambda ${W(lambda)}.`}>{`\\lr = ${S(lr)} \\qquad λ = ${S(lambda)}`}</Formula>
        <p>The regularizer is part of G and passes through Adam’s moments, which rescale it along with the gradient of the loss.</p>
      </>
    ),
  };
}

/** A weight that is a product of factors: what bounds its rank. `inner` is the rank of the LoRA product. */
export function factorSteps({ matrix, method, train }: WalkInput): WalkStep[] {
  return method.name === 'lora'
    ? [loraStep(matrix, method.loraRank, method.loraAlpha)]
    : [loritaStep(matrix, method.loritaDepth, train.weightDecay)];
}

function loraStep({ rows, cols, sigma }: MatrixSpectrum, spec: number, alpha: number): WalkStep {
  const r = spec < 1 ? Math.floor((spec * rows * cols) / (rows + cols)) : spec;
  const rest = sigma.slice(r).reduce((sum, s) => sum + s * s, 0);
  return {
    key: 'product',
    title: 'The product',
    figure: `rank ${formatInt(r)} at most`,
    body: (
      <>
        <Formula say={`W is alpha over r times A B, with alpha ${W(alpha)} and r ${r}.`}>
          {`W^⊤ = \\frac{α}{r} A B = \\frac{${S(alpha)}}{${r}} A B`}
        </Formula>
        <Formula say={`A is ${cols} by ${r}, B is ${r} by ${rows}.`}>{`A : ${cols} × ${r} \\qquad B : ${r} × ${rows}`}</Formula>
        <Formula
          say={`Past index ${r} the values add up to ${W(Math.sqrt(rest), 3)}.`}
        >{`\\sqrt{∑_{i > ${r}} σ_i^2} = ${N(Math.sqrt(rest), 3)}`}</Formula>
        <p>The rank is a hard limit from the start, and nothing is added to the loss. Only A and B are trained.</p>
      </>
    ),
  };
}

function loritaStep({ sigma }: MatrixSpectrum, depth: number, decay: number): WalkStep {
  const sum = schatten(sigma, depth);
  const power = depth === 2 ? 'σ_i' : `σ_i^{2/${depth}}`;
  return {
    key: 'product',
    title: 'Factors and decay',
    figure: formatSignificant(sum),
    body: (
      <>
        <Formula say={`W is a product of ${depth} factors.`}>
          {depth === 1 ? 'W = W_1' : depth === 2 ? 'W = W_2 W_1' : `W = W_{${depth}} ⋯ W_1`}
        </Formula>
        <Formula
          say={`The squared norms of the factors add up to at least ${depth} times the sum of sigma to the power of two over ${depth}, which is ${W(sum)}.`}
        >
          {`\\min ∑_{k=1}^{${depth}} ‖W_k‖_F^2 = ${depth} ∑_i ${power} = ${depth} × ${N(sum)} = ${N(depth * sum)}`}
        </Formula>
        <p>
          {decay > 0
            ? `Weight decay ${formatSetting(decay)} on every factor lowers this sum, and with it the small values first: the more factors, the sharper.`
            : 'Without weight decay nothing lowers this sum: set one, and it presses the small values down first.'}
        </p>
      </>
    ),
  };
}
