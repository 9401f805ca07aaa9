import { useCallback, useMemo, type ReactNode } from 'react';
import type { FactorPlan, Mark, MatrixSpectrum } from '../../protocol/messages';
import { frames } from '../../store/frames';
import { DataTable } from './DataTable';
import type { XScale } from './axis';
import { formatFixed, formatInt, formatPercent, formatSignificant, matrixLabel, matrixSize } from './format';
import type { SpectraColumns } from './heat';
import { Heat } from './HeatMap';
import { paintLarge } from './largePaint';
import { Segmented } from './Segmented';
import { largeDecades } from './scales';
import { hasEpsilon } from './spectrum';
import { useCanvas, type Draw, type Watch } from './useCanvas';

export type TimeView = 'now' | 'time';

export interface MatrixInspectorViewProps {
  /** The matrix shown; null before there are spectra. */
  matrix: MatrixSpectrum | null;
  /** The same at this moment, for the picture: it is drawn again when `watch` calls, without a rendering. */
  now?: (() => MatrixSpectrum | null) | undefined;
  watch?: Watch;
  /** The step of `matrix` where it is not the newest. */
  viewed?: number | null;
  tools?: ReactNode;
  ghost?: MatrixSpectrum;
  ghostLabel?: string;
  /** Common top decade, as `useTopDecade` gives it. */
  top: number;
  /** Moves through all matrices, those outside the blocks too. */
  onMove: (by: 1 | -1) => void;
  /** Shows the arrows on wide screens too: some matrices are not on the wall. */
  arrows?: boolean;
  /** The matrix over the run; null leaves the control out. */
  history: SpectraColumns | null;
  view: TimeView;
  onView: (view: TimeView) => void;
  marks: readonly Mark[];
  /** The axis that all charts share. */
  x: XScale;
  empty?: ReactNode;
}

const TIMES = [
  { value: 'now', label: 'Now' },
  { value: 'time', label: 'Over time' },
] as const;

/** One matrix, large: its spectrum and every figure known of it. */
export function MatrixInspectorView(props: MatrixInspectorViewProps) {
  const { matrix, history, view, onView, onMove, arrows = false, empty, viewed = null } = props;
  if (!matrix)
    return (
      <section className="chart-inspector" aria-label="Selected matrix">
        <div className="chart-head">
          <h2>Matrix</h2>
        </div>
        <div className="chart-note">{empty ?? <p>The matrix chosen on the wall is shown large here.</p>}</div>
      </section>
    );
  const over = history !== null && view === 'time';
  return (
    <section className="chart-inspector" aria-label="Selected matrix">
      <div className="chart-head">
        <h2>
          {matrixLabel(matrix)} {viewed === null && <small>{matrixSize(matrix)}</small>}
        </h2>
        {viewed !== null && <em className="chart-step">step {formatInt(viewed)}</em>}
        {history && <Segmented label="Spectrum" options={TIMES} value={view} onChange={onView} />}
        <Arrows onMove={onMove} />
      </div>
      {over ? (
        <Heat columns={history} matrix={matrix} top={props.top} marks={props.marks} x={props.x} />
      ) : (
        <Large {...props} matrix={matrix} />
      )}
      <Figures matrix={matrix} />
      {matrix.factors && <p className="chart-why">{factorsLine(matrix, matrix.factors)}</p>}
      <div className="chart-foot">
        {arrows && <Arrows onMove={onMove} />}
        {props.tools}
        {over ? (
          <DataTable
            title={`Singular values by step, ${matrixLabel(matrix)}`}
            caption={`${history.count} steps`}
            rows={() => timeTable(matrix)}
          />
        ) : (
          <DataTable title={`Singular values, ${matrixLabel(matrix)}`} caption={matrixSize(matrix)} rows={() => sigmaTable(matrix)} />
        )}
      </div>
    </section>
  );
}

const Arrows = ({ onMove }: Pick<MatrixInspectorViewProps, 'onMove'>) => (
  <span className="chart-arrows">
    <button type="button" className="chart-btn icon" aria-label="Previous matrix" onClick={() => onMove(-1)}>
      <Chevron d="M10 3.5L5.5 8l4.5 4.5" />
    </button>
    <button type="button" className="chart-btn icon" aria-label="Next matrix" onClick={() => onMove(1)}>
      <Chevron d="M6 3.5L10.5 8 6 12.5" />
    </button>
  </span>
);

const Chevron = ({ d }: { d: string }) => (
  <svg className="chart-icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d={d} />
  </svg>
);

type Shown = MatrixInspectorViewProps & { matrix: MatrixSpectrum };

function Large({ matrix, now, watch, ghost, ghostLabel = 'dense baseline', top }: Shown) {
  const decades = useMemo(() => largeDecades(top), [top]);
  const draw = useCallback<Draw>(
    (g, width, height, palette) => paintLarge(g, width, height, palette, { matrix: now?.() ?? matrix, ghost, ghostLabel, decades }),
    [matrix, now, ghost, ghostLabel, decades],
  );
  const canvas = useCanvas(draw, watch);
  return <canvas ref={canvas} className="chart-large" role="img" aria-label={describe(matrix)} />;
}

const describe = (m: MatrixSpectrum) =>
  `Singular values of ${matrixLabel(m)} on a log scale: the largest ${formatSignificant(m.sigma[0] ?? NaN, 3)}, ` +
  `the smallest ${formatSignificant(m.sigma.at(-1) ?? NaN, 3)}, target rank ${m.targetRank} of ${m.sigma.length}`;

function Figures({ matrix: m }: { matrix: MatrixSpectrum }) {
  const exact = m.sketch >= m.sigma.length;
  return (
    <dl className="chart-figures">
      <div>
        <dt>σ₁</dt>
        <dd>{formatSignificant(m.sigma[0] ?? NaN)}</dd>
      </div>
      <div>
        <dt>
          ε<i className="chart-key epsilon" />
        </dt>
        <dd>{hasEpsilon(m) ? formatSignificant(m.epsilon) : '–'}</dd>
      </div>
      <div>
        <dt>
          Target rank
          <i className="chart-key target" />
        </dt>
        <dd>{m.targetRank}</dd>
      </div>
      <div>
        <dt>Envelope rank</dt>
        <dd>{m.regularized ? m.envelopeRank : '–'}</dd>
      </div>
      <div>
        <dt>Effective rank</dt>
        <dd>{formatFixed(m.effectiveRank, 1)}</dd>
      </div>
      <div>
        <dt>Stable rank</dt>
        <dd>{formatFixed(m.stableRank, 2)}</dd>
      </div>
      <div>
        <dt>
          Tail energy
          <i className="chart-key tail" />
        </dt>
        <dd>{formatPercent(1 - m.tailRatio)}</dd>
      </div>
      <div>
        <dt>Sketch</dt>
        {m.regularized && m.sketch > 0 ? (
          <dd>
            {m.sketch} <small>{exact ? 'exact' : `± ${formatSignificant(m.residual, 2)}`}</small>
          </dd>
        ) : (
          <dd>–</dd>
        )}
      </div>
    </dl>
  );
}

/** What is trained in place of a matrix, and what of it this spectrum is. */
export function factorsLine({ name, targetRank }: Pick<MatrixSpectrum, 'name' | 'targetRank'>, factors: readonly FactorPlan[]): string {
  if (factors[0]?.name === `${name}.lora.A`)
    return `Trained are A and B, ${factors.map((f) => matrixSize(f)).join(' and ')}. This is the spectrum of their product, whose rank cannot pass ${targetRank}.`;
  const acted = factors.filter((f) => f.regularized);
  const what = `This is the spectrum of the product of ${factors.length} factors`;
  if (acted.length === 0) return `${what}; they are what is trained.`;
  return `${what}. Q3R acts on each of them with an ε of its own and target ranks ${factors.map((f) => f.targetRank).join(', ')}; the product’s rank is at most the smallest of theirs.`;
}

/** Some singular values of each spectrum of the run, and its figures; the whole of it can be saved. */
function timeTable({ name, sigma, targetRank }: MatrixSpectrum) {
  const n = sigma.length;
  const some = [1, Math.ceil(targetRank / 2), targetRank, targetRank + 1, 2 * targetRank, Math.ceil(n / 2), n];
  const indices = [...new Set(some.filter((i) => i >= 1 && i <= n))].sort((a, b) => a - b);
  return {
    head: ['Step', ...indices.map((i) => `σ ${i}`), 'ε', 'Effective rank', 'Stable rank', 'Tail energy'],
    body: frames.all().flatMap(({ step, matrices }) => {
      const m = matrices.find((other) => other.name === name);
      if (!m) return [];
      const figures = [formatFixed(m.effectiveRank, 1), formatFixed(m.stableRank, 2), formatPercent(1 - m.tailRatio)];
      return [
        [
          formatInt(step),
          ...indices.map((i) => formatSignificant(m.sigma[i - 1] ?? NaN)),
          hasEpsilon(m) ? formatSignificant(m.epsilon) : '–',
          ...figures,
        ],
      ];
    }),
  };
}

const sigmaTable = (m: MatrixSpectrum) => ({
  head: ['Index', 'σ', 'Kept'],
  body: Array.from(m.sigma, (sigma, i) => [String(i + 1), formatSignificant(sigma), i < m.targetRank ? 'yes' : 'no']),
});
