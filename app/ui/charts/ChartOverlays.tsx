import { memo, type KeyboardEvent } from 'react';
import type { Mark, Series } from '../../protocol/messages';
import { axisName, share, stepShare, xTicks, type XScale } from './axis';
import { indexAt } from './chartData';
import { formatFixed, formatMark } from './format';
import { setHoverStep, useHoverStep } from './hoverStep';

export interface AxisProps {
  x: XScale;
  /** Where the plots begin, and where they end, CSS pixels. */
  left: number;
  width: number;
  scale: number;
}

/** The horizontal axis under the last chart. */
export const Lane = memo(function Lane({ x, left, width, scale }: AxisProps) {
  const room = width - left;
  const ticks = room > 0 ? xTicks(x, Math.max(2, Math.min(8, Math.floor(room / (90 * scale))))) : [];
  return (
    <div className="chart-ticks" aria-hidden="true">
      {ticks.map(({ value, name }, i) => {
        const at = share(x, value);
        const align = at * room < 14 ? 'start' : i === ticks.length - 1 ? 'end' : undefined;
        return (
          <span key={i} style={{ left: left + at * room }} data-align={align}>
            {name}
          </span>
        );
      })}
    </div>
  );
});

/** Changes made while the run went on: dotted lines, diamonds on the axis, names as far as there is room. */
export const Events = memo(function Events({ marks, x, left, width, scale }: AxisProps & { marks: readonly Mark[] }) {
  let free = left + 8;
  const drawn = marks
    .filter((mark) => mark.step > 0)
    .map((mark) => ({ mark, at: stepShare(x, mark.step) }))
    .filter(({ at }) => at >= 0 && at <= 1)
    .map(({ mark, at }) => {
      const place = Math.round(left + at * (width - left)) + 0.5;
      const name = formatMark(mark);
      const length = name.length * 6 * scale;
      let label: 'after' | 'before' | null = null;
      if (place + 6 > free && place + 6 + length < width - 92 * scale) label = 'after';
      else if (place - 6 - length > free) label = 'before';
      if (label) free = label === 'after' ? place + 12 + length : place;
      return { key: `${mark.step} ${name}`, place, name, label };
    });
  return (
    <svg className="chart-events" aria-hidden="true">
      {drawn.map(({ key, place, name, label }) => (
        <g key={key}>
          <title>{name}</title>
          <svg y="100%" overflow="visible">
            <path className="chart-diamond" d={`M${place} 1l4 4l-4 4l-4-4z`} />
          </svg>
          <line x1={place} x2={place} y1="0" y2="100%" />
          {label && (
            <text x={label === 'after' ? place + 6 : place - 6} y={13 * scale} textAnchor={label === 'after' ? 'start' : 'end'}>
              {name}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
});

interface CursorProps extends Omit<AxisProps, 'scale'> {
  series: Series;
  /** Zooms by a factor around a step; null for all of the run. */
  onZoomBy: (factor: number | null, around: number) => void;
}

/** The cursor through all charts: follows the pointer, and the keys while it has the focus: arrows move it, + and − zoom, 0 shows all. */
export function Cursor({ series, x, left, width, onZoomBy }: CursorProps) {
  const hovered = useHoverStep();
  const steps = series.step;
  const newest = steps.at(-1) ?? 0;
  const step = hovered ?? newest;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const zoom = { '+': 0.5, '=': 0.5, '-': 2, '0': null }[event.key];
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
    if (zoom === undefined && by === undefined) return;
    event.preventDefault();
    if (zoom !== undefined) return onZoomBy(zoom, step);
    const i = Math.min(steps.length - 1, Math.max(0, indexAt(steps, step) + by!));
    setHoverStep(steps[i] ?? null);
  };
  const at = Math.min(1, Math.max(0, stepShare(x, step)));
  const where = x.axis === 'step' ? axisName('step', step) : `${axisName(x.axis, x.map.to(step))}, ${axisName('step', step)}`;
  return (
    <div
      className="chart-cursor"
      role="slider"
      tabIndex={0}
      aria-label="Look at step"
      aria-valuemin={steps[0] ?? 0}
      aria-valuemax={newest}
      aria-valuenow={step}
      aria-valuetext={`${where}, loss ${formatFixed(series.lossSmooth[Math.max(0, indexAt(steps, step))] ?? NaN, 3)}`}
      aria-keyshortcuts="+ - 0"
      data-on={hovered !== null || undefined}
      style={{ left: Math.round(left + at * (width - left)) }}
      onKeyDown={onKeyDown}
      onBlur={() => setHoverStep(null)}
    />
  );
}
