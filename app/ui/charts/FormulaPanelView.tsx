import { TECHNIQUES } from '../../engine/regularizers/config';
import type { MethodName } from '../../protocol/experiment';
import type { MatrixSpectrum } from '../../protocol/messages';
import { formatSetting, formatSignificant, matrixLabel } from './format';

export interface FormulaPanelViewProps {
  matrix: MatrixSpectrum | null;
  method: MethodName;
  lambda: number;
}

/** Σ min(σᵢ, ε)², what λ is multiplied with. */
export function envelopeSum(sigma: Float32Array, epsilon: number): number {
  let sum = 0;
  for (const s of sigma) sum += Math.min(s, epsilon) ** 2;
  return sum;
}

/** What the method adds to this matrix, with its numbers. */
export function FormulaPanelView({ matrix, method, lambda }: FormulaPanelViewProps) {
  const { regularizer, inLoss, why } = TECHNIQUES[method];
  const q3r = regularizer === 'q3r' && !matrix?.factors;
  const acts = q3r && matrix?.regularized !== false;
  return (
    <section className="chart-formula" aria-label="What Q3R adds">
      <div className="chart-head">
        <h2>What Q3R adds</h2>
      </div>
      {acts ? (
        <>
          <math>
            <mi>R</mi>
            <mo stretchy="false">(</mo>
            <mi>W</mi>
            <mo stretchy="false">)</mo>
            <mo>=</mo>
            <mi>U</mi>
            <mspace width=".15em" />
            <mi mathvariant="normal">diag</mi>
            <mo>(</mo>
            <mi>min</mi>
            <mo stretchy="false">(</mo>
            <msub>
              <mi>σ</mi>
              <mi>i</mi>
            </msub>
            <mo>,</mo>
            <mspace width=".15em" />
            <msup>
              <mi className="epsilon">ε</mi>
              <mn>2</mn>
            </msup>
            <mo>/</mo>
            <msub>
              <mi>σ</mi>
              <mi>i</mi>
            </msub>
            <mo stretchy="false">)</mo>
            <mo>)</mo>
            <mspace width=".15em" />
            <msup>
              <mi>V</mi>
              <mo>⊤</mo>
            </msup>
          </math>
          <Value matrix={matrix} lambda={lambda} />
          <p>
            {!inLoss
              ? 'Each step moves the weights against R(W), beside Adam and outside its moments. Values above '
              : 'R(W) joins the loss gradient and passes through Adam. Values above '}
            <span className="epsilon">ε</span> are pushed less the larger they are; those below shrink in proportion.
          </p>
        </>
      ) : method === 'adamw' ? (
        <p>Nothing: this is the dense baseline. AdamW alone trains the weights, and their singular values spread as the loss asks.</p>
      ) : !q3r ? (
        <p>{matrix?.factors && regularizer === 'q3r' ? `${why} Here stands the spectrum of their product.` : why}</p>
      ) : (
        <p>
          Nothing here: {matrix ? matrixLabel(matrix) : 'this matrix'} is not among the matrices that Q3R acts on, or its target rank is
          full.
        </p>
      )}
    </section>
  );
}

function Value({ matrix, lambda }: { matrix: MatrixSpectrum | null; lambda: number }) {
  const known = matrix !== null && Number.isFinite(matrix.epsilon);
  const sum = known ? envelopeSum(matrix.sigma, matrix.epsilon) : NaN;
  return (
    <math>
      <mi>λ</mi>
      <munder>
        <mo>∑</mo>
        <mi>i</mi>
      </munder>
      <mi>min</mi>
      <msup>
        <mrow>
          <mo stretchy="false">(</mo>
          <msub>
            <mi>σ</mi>
            <mi>i</mi>
          </msub>
          <mo>,</mo>
          <mspace width=".15em" />
          <mi className="epsilon">ε</mi>
          <mo stretchy="false">)</mo>
        </mrow>
        <mn>2</mn>
      </msup>
      {known && (
        <>
          <mo>=</mo>
          <mn>{formatSetting(lambda)}</mn>
          <mo>×</mo>
          <mn>{formatSignificant(sum, 3)}</mn>
          <mo>=</mo>
          <mn>{formatSignificant(lambda * sum, 3)}</mn>
        </>
      )}
    </math>
  );
}
