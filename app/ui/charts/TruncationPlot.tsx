import { Suspense, lazy, useMemo, useRef } from 'react';
import type { CutCurve } from '../../store/store';
import { share } from './axis';
import { cutAxis, cutRows, type CutShows, type OtherCut } from './cuts';
import { formatPercent } from './format';
import { clamp, niceTicks } from './scales';
import { PLOT } from './truncationPlotSize';
import { usePalette } from './useCanvas';
import { useSize } from './useSize';
import { useOnScreen, useTurn } from './useTurn';

// The chart library comes with the first curves; nothing waits for it.
const TruncationChart = lazy(() => import('./TruncationChart'));

interface TruncationPlotProps {
  curve: CutCurve;
  others: readonly OtherCut[];
  shows: CutShows;
  /** Of the untruncated model. */
  full: number;
  /** Share of the parameters at the slider. */
  kept: number;
  /** Values of the run there, and of the others. */
  at: { readonly run: number; readonly others: readonly number[] };
  /** Share that matches the target rank. */
  matching: number;
  onMatching: (() => void) | undefined;
  label: string;
}

/** The chart with what moves over it: the slider's line, its two marks, and the axis. */
export function TruncationPlot({ curve, others, shows, full, kept, at, matching, onMatching, label }: TruncationPlotProps) {
  const root = useRef<HTMLDivElement>(null);
  const { scale } = usePalette();
  const seen = useOnScreen(root);
  const { width, height } = useSize(root);
  const wanted = useMemo(() => ({ curve, others, shows, full }), [curve, others, shows, full]);
  const shown = useTurn(wanted, seen);
  const rows = useMemo(
    () =>
      cutRows(
        shown.curve,
        shown.others.map((o) => o.curve),
        shown.shows,
      ),
    [shown],
  );
  const axis = useMemo(() => cutAxis([shown.curve, ...shown.others.map((o) => o.curve)], shown.shows), [shown]);
  const styles = useMemo(() => shown.others.map((o) => o.style), [shown]);
  const end = Math.max(1, ...rows.map((row) => row.kept));
  const left = 36 * scale;
  const right = 8;
  const x = (value: number) => left + clamp(share({ log: false, low: 0, high: end }, value), 0, 1) * (width - left - right);
  const [low, high] = axis.domain;
  const y = (value: number) => PLOT.top + (1 - share({ log: false, low, high }, value)) * (height - PLOT.top - PLOT.bottom);
  const inside = (value: number) => value >= low && value <= high;
  const fits = matching > 0 && matching <= end;
  return (
    <div className="chart-cut-plot">
      <div className="chart-slot" ref={root} role="img" aria-label={label}>
        {width > 0 && height > 0 && (
          <Suspense fallback={null}>
            <TruncationChart
              rows={rows}
              shows={shown.shows}
              axis={axis}
              end={end}
              full={shown.full}
              styles={styles}
              {...{ width, height, left, right }}
            />
          </Suspense>
        )}
        {width > 0 && Number.isFinite(kept) && (
          <svg className="chart-cut-marks" aria-hidden="true">
            <line x1={Math.round(x(kept)) + 0.5} x2={Math.round(x(kept)) + 0.5} y1={0} y2={height - PLOT.bottom} />
            {others.map(({ key, style }, i) => {
              const value = at.others[i] ?? NaN;
              return inside(value) && <circle key={key} style={{ stroke: `var(--series-${style})` }} cx={x(kept)} cy={y(value)} r={4.5} />;
            })}
            {inside(at.run) && <circle cx={x(kept)} cy={y(at.run)} r={4.5} />}
          </svg>
        )}
      </div>
      <div className="chart-cut-axis">
        {niceTicks(0, end, 5).map((tick) => (
          <span
            key={tick}
            style={{ left: x(tick) }}
            data-align={tick === 0 ? 'start' : tick === end ? 'end' : undefined}
            aria-hidden="true"
          >
            {Math.round(tick * 100)}
            {tick === end ? '%' : ''}
          </span>
        ))}
        {width > 0 && fits && (
          <button
            type="button"
            className="chart-cut-match"
            style={{ left: x(matching) }}
            disabled={!onMatching}
            onClick={onMatching}
            title={`The target rank takes ${formatPercent(matching, 0)} of the parameters`}
            aria-label={`Keep ${formatPercent(matching, 0)}, which matches the target rank`}
          >
            matching
          </button>
        )}
      </div>
    </div>
  );
}
