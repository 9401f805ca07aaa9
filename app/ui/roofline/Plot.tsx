import { useCallback, useMemo, useRef, type KeyboardEvent } from 'react';
import type { RooflineReport } from '../../protocol/roofline';
import { useCanvas, usePalette, type Draw } from '../charts/useCanvas';
import { useSize } from '../charts/useSize';
import { MARGIN, paintRoofline } from './paint';
import { sentence } from './rows';
import { rooflineShape, type Row } from './shape';

interface PlotProps {
  report: RooflineReport;
  rows: readonly Row[];
  /** The kernel that is pointed at, here or in the table. */
  at: number | null;
  onAt: (index: number | null) => void;
}

/** The chart, and on every point a button: one tab stop, arrow keys go from the slowest kernel to the next. */
export function Plot({ report, rows, at, onAt }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const { scale } = usePalette();
  const size = useSize(box);
  const inner = useMemo(
    () => ({
      width: Math.max(1, size.width - (MARGIN.left + MARGIN.right) * scale),
      height: Math.max(1, size.height - (MARGIN.top + MARGIN.bottom) * scale),
    }),
    [size, scale],
  );
  const shape = useMemo(() => rooflineShape(rows, report, inner.width, inner.height), [rows, report, inner]);
  const draw: Draw = useCallback((g, _w, _h, p) => paintRoofline(g, p, shape, report, inner, at), [shape, report, inner, at]);
  const canvas = useCanvas(draw);
  // By time, so that the arrow keys lead through what matters.
  const order = useMemo(() => [...shape.points].sort((a, b) => b.row.milliseconds - a.row.milliseconds), [shape]);
  const stop = order.find(({ row }) => row.index === at)?.row.index ?? order[0]?.row.index;
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (move === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const i = order.findIndex(({ row }) => row.index === stop);
    const next = order[Math.min(order.length - 1, Math.max(0, i + move))]!.row.index;
    box.current?.querySelector<HTMLElement>(`[data-kernel="${next}"]`)?.focus();
  };
  return (
    <div
      className="roof-plot"
      ref={box}
      role="group"
      aria-label="Roofline: kernels by operations per byte and operations per second, under the roofs of this device"
      onKeyDown={onKeyDown}
      onMouseLeave={() => onAt(null)}
    >
      <canvas ref={canvas} aria-hidden="true" />
      {size.width > 0 &&
        shape.points.map(({ row, x, y, r }) => (
          <button
            key={row.index}
            type="button"
            data-kernel={row.index}
            className="roof-point"
            tabIndex={row.index === stop ? 0 : -1}
            style={{ left: MARGIN.left * scale + x, top: MARGIN.top * scale + y, width: 2 * r + 6, height: 2 * r + 6 }}
            aria-label={sentence(row)}
            onMouseEnter={() => onAt(row.index)}
            onFocus={() => onAt(row.index)}
            onClick={() => onAt(row.index)}
          />
        ))}
    </div>
  );
}
