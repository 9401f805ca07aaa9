import { useState, type ReactNode } from 'react';
import type { MethodConfig, TrainConfig } from '../../protocol/experiment';
import type { Mark, MatrixSpectrum } from '../../protocol/messages';
import { Formula } from './Formula';
import { hoyerFigures, q3rFigures } from './formulaFigures';
import { factorSteps, hoyerSteps } from './formulaOther';
import { q3rSteps, type WalkInput } from './formulaSteps';
import { pow } from './formulaText';
import { FormulaWalk } from './FormulaWalk';
import { formatSetting, formatSignificant, matrixLabel } from './format';

export interface FormulaPanelViewProps {
  /** The chosen matrix; null before there are spectra. */
  readonly matrix: MatrixSpectrum | null;
  readonly method: MethodConfig;
  readonly train: Pick<TrainConfig, 'adamEps' | 'weightDecay'>;
  readonly lr: number;
  readonly step: number;
  readonly marks: readonly Mark[];
}

type Case = 'empty' | 'dense' | 'untargeted' | 'full' | 'q3r' | 'hoyer' | 'factors' | 'factorsQ3r';

/** What is done to the matrix. */
function caseOf(matrix: MatrixSpectrum | null, { name }: MethodConfig): Case {
  if (name === 'adamw') return 'dense';
  if (!matrix) return 'empty';
  if (matrix.factors) return name === 'loritaQ3r' || name === 'loritaAdamq3r' ? 'factorsQ3r' : 'factors';
  if (matrix.regularized) return name === 'hoyer' || name === 'hoyerSquare' ? 'hoyer' : 'q3r';
  const acts = name !== 'lora' && name !== 'lorita' && name !== 'hoyer' && name !== 'hoyerSquare';
  return acts && matrix.targetRank >= matrix.sigma.length ? 'full' : 'untargeted';
}

const TITLES: Partial<Record<MethodConfig['name'], string>> = {
  hoyer: 'What Hoyer adds',
  hoyerSquare: 'What Hoyer adds',
  lora: 'What LoRA does',
  lorita: 'What LoRITa does',
};

/** What the method adds to this matrix: the formula with its numbers here, the whole walk on demand. */
export function FormulaPanelView({ matrix, method, train, lr, step, marks }: FormulaPanelViewProps) {
  const [open, setOpen] = useState(false);
  const title = TITLES[method.name] ?? 'What Q3R adds';
  const scale = matrix?.lambdaScale ?? 1;
  const kind = caseOf(matrix, method);
  const explained = matrix !== null && ['q3r', 'hoyer', 'factors', 'factorsQ3r'].includes(kind);
  const input: WalkInput | null = explained ? { matrix, method, train, lr, lambda: method.lambda * scale, step, marks } : null;
  return (
    <section className="chart-formula" aria-label={title}>
      <div className="chart-head">
        <h2>{title}</h2>
        <span className="chart-grow" />
        {input && (
          <button type="button" className="chart-btn" aria-haspopup="dialog" onClick={() => setOpen(true)}>
            Explain
          </button>
        )}
      </div>
      {input ? <Compact input={input} kind={kind} /> : <p>{nothing(kind, matrix)}</p>}
      {open && input && (
        <FormulaWalk
          input={input}
          title={title}
          steps={kind === 'q3r' ? q3rSteps(input) : kind === 'hoyer' ? hoyerSteps(input) : factorSteps(input)}
          weights={kind === 'q3r'}
          note={kind === 'factorsQ3r' ? FACTORS_NOTE : undefined}
          onClose={() => setOpen(false)}
        />
      )}
    </section>
  );
}

const FACTORS_NOTE = 'Q3R acts on each factor with an ε of its own; the spectrum shown is that of their product.';

function nothing(kind: Case, matrix: MatrixSpectrum | null): string {
  const label = matrix ? matrixLabel(matrix) : 'This matrix';
  switch (kind) {
    case 'dense':
      return 'Nothing: this is the dense baseline. AdamW alone trains the weights, and their singular values spread as the loss asks.';
    case 'full':
      return `Not regularized: the target rank of ${label}, ${matrix?.targetRank}, is not below its full rank of ${matrix?.sigma.length}, so nothing is added.`;
    case 'untargeted':
      return `Nothing here: ${label} is not among the matrices that the technique acts on.`;
    default:
      return 'The formulas fill with the numbers of the chosen matrix as soon as a run has measured it.';
  }
}

/** The two formulas of the rail. */
function Compact({ input, kind }: { input: WalkInput; kind: Case }): ReactNode {
  const { matrix, method, lambda } = input;
  const N = (value: number) => pow(formatSignificant(value, 3));
  if (kind === 'factors' || kind === 'factorsQ3r')
    return (
      <>
        <Formula say={method.name === 'lora' ? 'W is alpha over r times A B.' : 'W is a product of factors.'}>
          {method.name === 'lora'
            ? 'W^⊤ = \\frac{α}{r} A B'
            : method.loritaDepth === 2
              ? 'W = W_2 W_1'
              : `W = W_{${method.loritaDepth}} ⋯ W_1`}
        </Formula>
        <p>
          {kind === 'factorsQ3r'
            ? FACTORS_NOTE
            : method.name === 'lora'
              ? 'Nothing is added to the loss: the rank is limited by the shape of A and B.'
              : 'Weight decay on the factors lowers the rank of their product.'}
        </p>
      </>
    );
  if (kind === 'hoyer') {
    const square = method.name === 'hoyerSquare';
    const { value } = hoyerFigures(matrix.sigma, square);
    return (
      <>
        <Formula say={`H of W is norm one of sigma over its norm two${square ? ', squared,' : ''} minus one.`}>
          {`H(W) = ${square ? '( ‖σ‖_1 / ‖σ‖_2 )^2' : '‖σ‖_1 / ‖σ‖_2'} − 1`}
        </Formula>
        <Formula say={`Lambda H of W is ${formatSignificant(lambda * value, 3)}.`}>
          {`λ H(W) = ${pow(formatSetting(lambda))} × ${N(value)} = ${N(lambda * value)}`}
        </Formula>
        <p>The gradient joins that of the loss: it pushes large values up and small ones down.</p>
      </>
    );
  }
  const f = q3rFigures(matrix);
  const beside = method.name === 'adamq3r' || method.name === 'loritaAdamq3r';
  return (
    <>
      <Formula say="R of W is U times the diagonal of the smaller of sigma and epsilon squared over sigma, times V transposed.">
        {'R(W) = U \\diag ( \\min ( σ_i , ε^2 / σ_i ) ) V^⊤'}
      </Formula>
      <Formula say={`Lambda times the sum of the smaller of sigma and epsilon, squared, is ${formatSignificant(lambda * f.envelope, 3)}.`}>
        {`λ ∑_i \\min ( σ_i , ε )^2 = ${pow(formatSetting(lambda))} × ${N(f.envelope)} = ${N(lambda * f.envelope)}`}
      </Formula>
      <p>
        {beside
          ? 'Each step moves the weights against R(W), beside Adam and outside its moments. Values above '
          : 'R(W) joins the loss gradient and passes through Adam. Values above '}
        <span className="epsilon">ε</span> are pushed less the larger they are; those below shrink in proportion.
        {f.waiting && ' No refresh has set ε yet: it is 10⁸, above every value.'}
      </p>
    </>
  );
}
