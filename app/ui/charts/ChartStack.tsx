import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState, type CSSProperties, type PointerEvent, type ReactNode } from 'react';
import type { Mark } from '../../protocol/messages';
import { stepAt, type XScale } from './axis';
import { isMeasured, nearestStep, valueAxis, type ChartKind } from './chartData';
import { Cursor, Events, Lane } from './ChartOverlays';
import type { RunCurve } from './curves';
import { valueText } from './format';
import { setHoverStep } from './hoverStep';
import { usePalette } from './useCanvas';
import { enqueue, leaveQueue, useOnScreen, useTurn } from './useTurn';
import { COMPACT } from './wallGeometry';

type Chart = typeof import('./SeriesChart').default;

/**
 * The chart's component, null until it is there and this slot's turn has come. Recharts is four fifths of the page's weight: the first
 * paint does not wait for it; and two charts made in one frame would hold the page for 100 ms.
 */
function useChart(): Chart | null {
  const [chart, setChart] = useState<Chart | Error | null>(null);
  useEffect(() => {
    let wanted = true;
    let job: (() => void) | null = null;
    import('./SeriesChart').then(
      ({ default: made }) => {
        if (wanted) enqueue((job = () => setChart(() => made)));
      },
      (error: unknown) => setChart(error instanceof Error ? error : new Error(String(error))),
    );
    return () => {
      wanted = false;
      if (job) leaveQueue(job);
    };
  }, []);
  // The boundary around the charts tells it.
  if (chart instanceof Error) throw chart;
  return chart;
}

export interface StackProps {
  kinds: readonly ChartKind[];
  logY: boolean;
  curves: readonly RunCurve[];
  x: XScale;
  marks: readonly Mark[];
  /** Steps of the run on screen to show; null for all of them. */
  onZoom: (zoom: readonly [number, number] | null) => void;
  /** What stands between the charts and the names of their axis. */
  foot?: (place: { left: number; width: number }) => ReactNode;
}

/** Less than this is a click, CSS pixels. */
const DRAG = 6;

/** The charts one under the other, with one cursor, one axis and one zoom. */
export function ChartStack({ kinds, logY, curves, x, marks, onZoom, foot }: StackProps) {
  const root = useRef<HTMLDivElement>(null);
  const { scale } = usePalette();
  const [size, setSize] = useState({ width: 0, slot: 0 });
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const onScreen = useOnScreen(root);
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const measure = () => {
      const slot = element.querySelector<HTMLElement>('.chart-slot');
      const next = { width: element.clientWidth, slot: slot?.clientHeight ?? 0 };
      setSize((old) => (old.width === next.width && old.slot === next.slot ? old : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [kinds]);
  const { width } = size;
  const left = width < COMPACT ? 32 : 36 * scale;
  const room = Math.max(1, width - left);
  const own = curves.find((curve) => curve.style === 1)?.series ?? null;
  const any = curves.length > 0;

  const shareOf = (event: PointerEvent) => {
    const box = root.current?.getBoundingClientRect();
    return box ? (event.clientX - box.left - left) / room : NaN;
  };
  const onCharts = (event: PointerEvent) => !(event.target as Element).closest('.chart-scrub, .chart-ticks');
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 || !any || !onCharts(event)) return;
    const at = Math.min(1, Math.max(0, shareOf(event)));
    // What moves beyond the charts still is this drag.
    root.current?.setPointerCapture(event.pointerId);
    setDrag({ from: at, to: at });
  };
  const onPointerMove = (event: PointerEvent) => {
    if (!any) return;
    const at = shareOf(event);
    if (drag) setDrag({ ...drag, to: Math.min(1, Math.max(0, at)) });
    else if (!onCharts(event)) return setHoverStep(null);
    const step = stepAt(x, Math.min(1, at));
    setHoverStep(at < -0.02 ? null : own ? nearestStep(own.step, step) : Math.max(1, Math.round(step)));
  };
  const onPointerUp = () => {
    if (!drag) return;
    setDrag(null);
    const [a, b] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    if ((b - a) * room >= DRAG) onZoom([stepAt(x, a), stepAt(x, b)]);
  };
  useEscape(drag !== null, () => setDrag(null));
  useEscape(drag === null && x.zoomed, () => onZoom(null), root);

  const zoomBy = (factor: number | null, around: number) => {
    if (factor === null) return onZoom(null);
    const [low, high] = [stepAt(x, 0), stepAt(x, 1)];
    const from = around - (around - low) * factor;
    const to = around + (high - around) * factor;
    const end = own?.step.at(-1) ?? high;
    // Out beyond all there is: the whole run.
    if (factor > 1 && from <= 0 && to >= end) return onZoom(null);
    onZoom([Math.max(0, from), to]);
  };
  return (
    <div
      ref={root}
      className="chart-stack"
      data-count={kinds.length}
      data-empty={!any || undefined}
      data-foot={(any && foot !== undefined) || undefined}
      style={{ '--left': `${left}px` } as CSSProperties}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={() => setDrag(null)}
      onPointerLeave={() => setHoverStep(null)}
      onDoubleClick={(event) => !(event.target as Element).closest('.chart-scrub') && onZoom(null)}
    >
      {kinds.map((kind) => (
        <Slot key={kind} kind={kind} log={logY} curves={curves} x={x} left={left} seen={onScreen} {...size} />
      ))}
      {drag && Math.abs(drag.to - drag.from) * room >= DRAG && (
        <div
          className="chart-select"
          style={{ left: left + Math.min(drag.from, drag.to) * room, width: Math.abs(drag.to - drag.from) * room }}
        />
      )}
      {any && foot?.({ left, width })}
      {any && <Lane x={x} left={left} width={width} scale={scale} />}
      {own && width > 0 && <Events marks={marks} x={x} left={left} width={width} scale={scale} />}
      {own && width > 0 && <Cursor series={own} x={x} left={left} width={width} onZoomBy={zoomBy} />}
      {!any && <div className="chart-ticks" />}
      {!any && <p className="chart-stack-empty">Loss and accuracy appear here with the first step.</p>}
    </div>
  );
}

/** Calls back on Escape while `on`, wherever the focus is but in what closes by it itself; with `within`, only for a pointer or focus there. */
function useEscape(on: boolean, call: () => void, within?: { readonly current: HTMLElement | null }): void {
  const latest = useRef(call);
  useEffect(() => {
    latest.current = call;
  });
  useEffect(() => {
    if (!on) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if (document.querySelector('[popover]:popover-open, dialog[open]')) return;
      const place = within?.current;
      if (place && !place.matches(':hover') && !place.contains(document.activeElement)) return;
      event.preventDefault();
      latest.current();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [on, within]);
}

interface SlotProps {
  kind: ChartKind;
  log: boolean;
  curves: readonly RunCurve[];
  x: XScale;
  left: number;
  seen: boolean;
  width: number;
  slot: number;
}

const Slot = memo(function Slot({ kind, log, curves, x, left, seen, width, slot }: SlotProps) {
  const input = useMemo(() => ({ curves, x }), [curves, x]);
  const turn = useTurn(input, seen);
  const SeriesChart = useChart();
  const axis = useMemo(
    () => valueAxis(kind, turn.curves, turn.x, log, Math.max(2, Math.min(5, Math.round(slot / 18)))),
    [kind, turn, log, slot],
  );
  const title = chartTitle(kind, turn.curves, axis.misses);
  return (
    <div className="chart-slot" role="img" aria-label={describe(title, kind, turn.curves)}>
      {SeriesChart && width > 0 && slot > 0 && turn.curves.length > 0 && (
        <SeriesChart kind={kind} curves={turn.curves} axis={axis} x={turn.x} width={width} height={slot} left={left} />
      )}
      {turn.curves.length > 0 && (
        <span className={axis.end > 0.55 ? 'chart-title low' : 'chart-title'}>
          {title}
          {/* The measured points and what is drawn under them are two things. */}
          {title.startsWith('Accuracy, validation') && <small>, faint: training</small>}
        </span>
      )}
    </div>
  );
});

/** What a chart shows, as it is written on it. */
export function chartTitle(kind: ChartKind, curves: readonly RunCurve[], misses = false): string {
  const series = (curves.find((c) => c.style === 1) ?? curves[0])?.series;
  const none = kind === 'regularizer' && curves.length > 0 && curves.every((c) => c.series.regularizer.every((v) => !v));
  const title = {
    loss: 'Loss, training',
    accuracy: series && isMeasured(series) ? 'Accuracy, validation' : 'Accuracy, training',
    regularizer: none ? 'Q3R value, none in the dense baseline' : 'Q3R value',
    lr: 'Learning rate',
  }[kind];
  return misses ? `${title}; zeros left out` : title;
}

function describe(title: string, kind: ChartKind, curves: readonly RunCurve[]): string {
  const parts = curves.flatMap(({ style, label, series }) => {
    const step = series.step.at(-1);
    if (step === undefined) return [];
    const value = {
      loss: series.lossSmooth.at(-1),
      accuracy: series.evalAccuracy.at(-1) ?? series.accuracySmooth.at(-1),
      regularizer: series.regularizer.at(-1),
      lr: series.lr.at(-1),
    }[kind];
    return `${style === 1 ? '' : `${label} `}${valueText(kind, value ?? NaN)} at step ${step}`;
  });
  return parts.length > 0 ? `${title} by step: ${parts.join('; ')}` : `${title}: no data yet`;
}
