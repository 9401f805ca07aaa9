import { createContext, useContext, useMemo, useRef, type PointerEvent, type ReactNode } from 'react';
import { share, valueAt, type Range } from '../charts/axis';
import { usePalette } from '../charts/useCanvas';
import { useSize } from '../charts/useSize';
import './plots.css';

/** The range of an axis and where it has names. */
export interface PlotAxis {
  readonly domain: readonly [number, number];
  readonly ticks: readonly { readonly at: number; readonly name: string }[];
  readonly log?: boolean;
}

interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const FrameContext = createContext<Frame | null>(null);
/** Where values lie in the plot around, in pixels. */
export function useFrame(): Frame {
  const frame = useContext(FrameContext);
  if (!frame) throw new Error('a curve stands outside a plot');
  return frame;
}

const rangeOf = ({ domain: [low, high], log = false }: PlotAxis): Range => ({ low, high, log });

interface PlotProps {
  /** Said in place of the picture. */
  label: string;
  title?: string;
  /** Puts the title where the newest values are not. */
  titleLow?: boolean;
  x: PlotAxis;
  y: PlotAxis;
  /** Names of the horizontal axis stand under the plot. */
  names?: boolean;
  /** Room above, right of and below the plot, in pixels. */
  room?: { readonly top?: number; readonly right?: number };
  /** The horizontal value under the pointer; null when it leaves. */
  onPoint?: (x: number | null) => void;
  onPick?: (x: number) => void;
  className?: string;
  children?: ReactNode;
}

/** A plot with hairlines at its ticks, in the size of its element. What is in it takes its places from `useFrame`. */
export function Plot({ label, title, titleLow, x, y, names = false, room = {}, onPoint, onPick, className = '', children }: PlotProps) {
  const root = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(root);
  const { scale } = usePalette();
  const left = (width < 420 ? 32 : 36) * scale;
  const { top = 6, right = 0 } = room;
  const bottom = names ? 24 * scale : 4;
  const frame = useMemo<Frame>(() => {
    const w = Math.max(1, width - left - right);
    const h = Math.max(1, height - top - bottom);
    return {
      x: (value) => left + share(rangeOf(x), value) * w,
      y: (value) => top + (1 - share(rangeOf(y), value)) * h,
      ...{ width, height, left, right, top, bottom },
    };
  }, [x, y, width, height, left, right, top, bottom]);
  const at = (event: PointerEvent): number | null => {
    const box = root.current?.getBoundingClientRect();
    if (!box) return null;
    const t = (event.clientX - box.left - left) / Math.max(1, width - left - right);
    return t < -0.02 || t > 1.02 ? null : valueAt(rangeOf(x), Math.min(1, Math.max(0, t)));
  };
  const edge = Math.round(height - bottom) + 0.5;
  return (
    <div
      ref={root}
      className={`plot ${className}`}
      role="img"
      aria-label={label}
      onPointerMove={onPoint && ((event) => onPoint(at(event)))}
      onPointerLeave={onPoint && (() => onPoint(null))}
      onClick={
        onPick &&
        ((event) => {
          const value = at(event as unknown as PointerEvent);
          if (value !== null) onPick(value);
        })
      }
    >
      {width > 0 && height > 0 && (
        <svg width={width} height={height} aria-hidden="true">
          {y.ticks.map(({ at: value, name }) => {
            const place = Math.round(frame.y(value)) + 0.5;
            return (
              <g key={value}>
                <line className="plot-grid" x1={left} x2={width - right} y1={place} y2={place} />
                <text x={left - 6} y={place + 3.5 * scale} textAnchor="end">
                  {name}
                </text>
              </g>
            );
          })}
          <line className="plot-floor" x1={left} x2={width - right} y1={edge} y2={edge} />
          {names &&
            x.ticks.map(({ at: value, name }, i) => (
              <text
                key={value}
                // The last name stands whole; one that it would touch is left out.
                visibility={i < x.ticks.length - 1 && touches(frame, x, i) ? 'hidden' : undefined}
                x={frame.x(value)}
                y={height - 8}
                textAnchor={
                  i === 0 && value === x.domain[0] ? 'start' : i === x.ticks.length - 1 && value === x.domain[1] ? 'end' : 'middle'
                }
              >
                {name}
              </text>
            ))}
          <FrameContext value={frame}>{children}</FrameContext>
        </svg>
      )}
      {title && <span className={titleLow ? 'plot-title low' : 'plot-title'}>{title}</span>}
    </div>
  );
}

/** Width of a character of an axis, in pixels at the usual type. */
const CHARACTER = 6.2;
/** Whether the name of a tick runs into the last one, which ends at the edge. */
function touches(frame: Frame, { ticks, domain }: PlotAxis, i: number): boolean {
  const last = ticks.at(-1)!;
  const need = CHARACTER * (last.name.length * (last.at === domain[1] ? 1 : 0.5) + ticks[i]!.name.length / 2) + 4;
  return frame.x(last.at) - frame.x(ticks[i]!.at) < need;
}

export interface CurveProps {
  readonly xs: ArrayLike<number>;
  readonly ys: ArrayLike<number>;
  /** Which of the run's colours, with its dash. */
  readonly series: 1 | 2;
  /** Raw data behind a smoothed curve. */
  readonly faint?: boolean;
  /** A dot or a square on every point. */
  readonly dots?: boolean;
  /** The newest point carries the mark of its run. */
  readonly end?: boolean;
}

/** A curve through its finite points. */
export function Curve({ xs, ys, series, faint = false, dots = false, end = false }: CurveProps) {
  const { x, y, top, height, bottom } = useFrame();
  // Raw data end at the plot's edges; other curves may leave it a little, and their marks with them.
  const over = faint ? 0 : 20;
  let path = '';
  const points: [number, number][] = [];
  for (let i = 0; i < xs.length; i++) {
    if (!Number.isFinite(ys[i]!)) continue;
    const px = Math.round(x(xs[i]!) * 10) / 10;
    const py = Math.round(Math.min(height - bottom + over, Math.max(top - over, y(ys[i]!))) * 10) / 10;
    path += `${path ? 'L' : 'M'}${px} ${py}`;
    points.push([px, py]);
  }
  const last = points.at(-1);
  const marked = dots ? points : end && last ? [last] : [];
  return (
    <g className={`plot-curve s${series}${faint ? ' faint' : ''}`}>
      {path && <path d={path} />}
      {marked.map(([px, py], i) => (
        <Marker key={i} series={series} x={px} y={py} r={dots && i < points.length - 1 ? 2.5 : 3} />
      ))}
    </g>
  );
}

/** The mark of a run: a dot for the first, a square for the second. */
export const Marker = ({ series, x, y, r }: { series: 1 | 2; x: number; y: number; r: number }) =>
  series === 1 ? <circle cx={x} cy={y} r={r} /> : <rect x={x - r} y={y - r} width={2 * r} height={2 * r} />;

/** A line through the plot at one value: the cursor, or an event with its name. */
export function Upright({ at, name, kind, strong }: { at: number; name?: string; kind: 'cursor' | 'event'; strong?: boolean }) {
  const { x, top, height, bottom, width, left, right } = useFrame();
  const place = Math.round(x(at)) + 0.5;
  // Left of the line where there is no room right of it, unless there is still less.
  const flipped = name !== undefined && place + name.length * 6.4 > width - right - 100 && place > name.length * 6.4 + left;
  return (
    <g className={`plot-${kind}${strong ? ' strong' : ''}`}>
      <line x1={place} x2={place} y1={kind === 'event' ? 0 : top - 6} y2={height - bottom} />
      {name && (
        <text x={flipped ? place - 6 : place + 6} y={top + 8} textAnchor={flipped ? 'end' : 'start'}>
          {name}
        </text>
      )}
    </g>
  );
}
