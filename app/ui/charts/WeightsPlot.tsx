import { useCallback, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import type { MatrixSpectrum } from '../../protocol/messages';
import { DataTable } from './DataTable';
import { formatFixed, formatInt, formatSignificant, matrixLabel } from './format';
import { pulled, q3rFigures, surrogate, weightOf } from './formulaFigures';
import { epsilonText } from './formulaText';
import { useCanvas, usePalette, type Draw } from './useCanvas';
import { indexUnder, paintWeights, weightsBox } from './weightsPaint';

/** The weights that R puts on either side of a matrix, over its spectrum, with a readout at the pointer and the figures behind it. */
export function WeightsPlot({ matrix }: { matrix: MatrixSpectrum }) {
  const figures = useMemo(() => q3rFigures(matrix), [matrix]);
  const [cursor, setCursor] = useState<number | null>(null);
  const { sigma } = matrix;
  const n = sigma.length;
  const { scale } = usePalette();
  const draw = useCallback<Draw>(
    (g, width, height, p) => paintWeights(g, width, height, p, { sigma, figures, cursor }),
    [sigma, figures, cursor],
  );
  const canvas = useCanvas(draw);
  const frame = useRef<HTMLDivElement>(null);
  const at = Math.min(n - 1, cursor ?? Math.min(n - 1, figures.r));

  const point = (event: PointerEvent) => {
    const box = frame.current?.getBoundingClientRect();
    if (box) setCursor(indexUnder(event.clientX - box.left, weightsBox(box.width, box.height, scale), n));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity }[
      event.key
    ];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    setCursor(Math.min(n - 1, Math.max(0, at + by)));
  };
  const s = sigma[at] ?? 0;
  const weight = weightOf(s, figures.epsilon);
  return (
    <div className="weights">
      <div className="chart-head small">
        <h3>
          <Legend />
        </h3>
        <span className="chart-grow" />
        <DataTable
          title={`Weights, ${matrixLabel(matrix)}`}
          caption={`ε ${epsilonText(figures)}, target rank ${figures.r}`}
          rows={() => ({
            head: ['Index', 'σ', 'Weight', 'R', 'f_ε'],
            body: Array.from(sigma, (value, i) => [
              formatInt(i + 1),
              formatSignificant(value),
              formatSignificant(weightOf(value, figures.epsilon)),
              formatSignificant(pulled(value, figures.epsilon)),
              formatSignificant(surrogate(value, figures.epsilon)),
            ]),
          })}
        />
      </div>
      <p className="weights-read" aria-hidden="true">
        <span>
          σ<sub>{at + 1}</sub> <b>{formatSignificant(s)}</b>
        </span>
        <span>
          weight <b>{formatFixed(weight, 4)}</b>
        </span>
        <span>
          R <b>{formatSignificant(pulled(s, figures.epsilon))}</b>
        </span>
      </p>
      <div
        ref={frame}
        className="weights-plot"
        role="slider"
        tabIndex={0}
        aria-label="Weights over the spectrum: look at index"
        aria-valuemin={1}
        aria-valuemax={n}
        aria-valuenow={at + 1}
        aria-valuetext={`index ${at + 1}, ${at < figures.r ? 'kept' : 'tail'}, sigma ${formatSignificant(s)}, weight ${formatFixed(weight, 4)}`}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setCursor(null)}
        onKeyDown={onKeyDown}
        onBlur={() => setCursor(null)}
      >
        <canvas ref={canvas} aria-hidden="true" />
      </div>
      <div className="chart-legend">
        <span>
          <i className="chart-key head" />
          kept
        </span>
        <span>
          <i className="chart-key tail" />
          tail
        </span>
        <span>
          <i className="chart-key target" />
          target rank
        </span>
        <span>
          <i className="weights-epsilon" />σ = ε
        </span>
      </div>
      <p>At 1 a value is pulled in proportion to its size. The lower its weight, the more it is spared.</p>
    </div>
  );
}

/** What the plot shows, as its heading. */
const Legend = () => (
  <>
    Weights 1/max(σ/<span className="epsilon">ε</span>, 1)
  </>
);
