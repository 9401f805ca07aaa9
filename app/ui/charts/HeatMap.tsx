import { useCallback, useEffect, useMemo, useRef, type PointerEvent } from 'react';
import type { Mark, MatrixSpectrum } from '../../protocol/messages';
import { stepAt, stepShare, type XScale } from './axis';
import { nearestStep } from './chartData';
import { formatSignificant } from './format';
import type { SpectraColumns } from './heat';
import { setHoverStep } from './hoverStep';
import { paintHeat, plotBox } from './largePaint';
import { largeDecades } from './scales';
import { lastKept } from './spectrum';
import { useCanvas, usePalette, type Draw } from './useCanvas';
import { viewedStep, watchViewedStep } from './viewed';

interface HeatProps {
  columns: SpectraColumns;
  matrix: MatrixSpectrum;
  top: number;
  marks: readonly Mark[];
  x: XScale;
}

/** The singular values of a matrix over the run, and the step that is looked at. Pointing at it looks at a step, as in the charts. */
export function Heat({ columns, matrix, top, marks, x }: HeatProps) {
  const root = useRef<HTMLDivElement>(null);
  const { scale, heat } = usePalette();
  const decades = useMemo(() => largeDecades(top), [top]);
  const kept = lastKept(matrix);
  const draw = useCallback<Draw>(
    (g, width, height, palette) => paintHeat(g, width, height, palette, { columns, kept, decades, x, marks }),
    [columns, kept, decades, x, marks],
  );
  const canvas = useCanvas(draw);
  const onPointerMove = (event: PointerEvent) => {
    const bounds = event.currentTarget.getBoundingClientRect();
    const box = plotBox(bounds.width, bounds.height, { scale });
    const at = (event.clientX - bounds.left - box.x) / box.width;
    setHoverStep(at < -0.02 ? null : nearestStep(columns.step.subarray(0, columns.count), stepAt(x, at)));
  };
  return (
    <>
      <div ref={root} className="chart-heat" onPointerMove={onPointerMove} onPointerLeave={() => setHoverStep(null)}>
        <canvas ref={canvas} className="chart-large" role="img" aria-label="Singular values by step: index down, colour log σ" />
        <HeatCursor root={root} x={x} scale={scale} newest={columns.step[columns.count - 1] ?? 0} />
      </div>
      <p className="chart-heat-key">
        <span>σ {formatSignificant(10 ** decades.low, 2)}</span>
        <i style={{ background: `linear-gradient(to right, ${heat.join(', ')})` }} />
        <span>{formatSignificant(10 ** decades.high, 2)}, log</span>
      </p>
    </>
  );
}

/** Moved by itself: the map under it is not drawn again. */
function HeatCursor({ root, x, scale, newest }: { root: { current: HTMLElement | null }; x: XScale; scale: number; newest: number }) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = () => {
      const bounds = root.current;
      if (!bounds || !line.current) return;
      const step = viewedStep();
      const box = plotBox(bounds.clientWidth, bounds.clientHeight, { scale });
      const at = stepShare(x, step ?? newest);
      line.current.hidden = step === null || !(at >= 0 && at <= 1);
      line.current.style.cssText = `transform: translateX(${Math.round(box.x + at * box.width)}px); top: ${box.y}px; height: ${box.height}px`;
    };
    place();
    return watchViewedStep(place);
  }, [root, x, scale, newest]);
  return <div ref={line} className="chart-heat-cursor" hidden />;
}
