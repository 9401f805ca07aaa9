import {
  Suspense,
  lazy,
  memo,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
} from 'react';
import type { Mark, Series } from '../../protocol/messages';
import { chartRows, indexAt, nearestStep, stepTicks, valueAxis, type ChartKind, type ChartRow } from './chartData';
import { DataTable } from './DataTable';
import { formatFixed, formatInt, formatMark, formatPercent, formatSetting, formatSignificant } from './format';
import { setHoverStep, useHoverStep } from './hoverStep';
import { stepWindow } from './scales';
import { COMPACT } from './wallGeometry';
import { usePalette } from './useCanvas';
import { useOnScreen, useTurn } from './useTurn';

// Recharts is four fifths of the page's weight: the first paint does not wait for it.
const SeriesChart = lazy(() => import('./SeriesChart'));

export interface RunChartsViewProps {
  series: Series | null;
  /** Name of the run, its technique. */
  label: string;
  /** The baseline's curves, dashed. */
  other: { label: string; series: Series } | null;
  marks: readonly Mark[];
  totalSteps: number;
  smoothing: number;
  onSmoothing: (smoothing: number) => void;
  /** Names the horizontal axis in epochs where given. */
  stepsPerEpoch?: number;
}

const SETS: Record<string, { label: string; kinds: readonly ChartKind[] }> = {
  main: { label: 'Loss, accuracy', kinds: ['loss', 'accuracy'] },
  method: { label: 'Q3R value, learning rate', kinds: ['regularizer', 'lr'] },
  all: { label: 'All', kinds: ['loss', 'accuracy', 'regularizer', 'lr'] },
};
const SMOOTHINGS = [0, 0.9, 0.97, 0.99];

/** Curves of the run by step, one cursor through all of them. */
export function RunChartsView({ series, label, other, marks, totalSteps, smoothing, onSmoothing, stepsPerEpoch }: RunChartsViewProps) {
  const [set, setSet] = useState('main');
  const [log, setLog] = useState(false);
  const kinds = SETS[set]!.kinds;
  const smoothings = SMOOTHINGS.includes(smoothing) ? SMOOTHINGS : [...SMOOTHINGS, smoothing].sort((a, b) => a - b);
  return (
    <section className="chart-runs" aria-label="Charts">
      <div className="chart-head small">
        <Readout series={series} label={label} kinds={kinds} which={1} />
        {other && <Readout series={other.series} label={other.label} kinds={kinds} which={2} />}
        <StepReadout />
        <span className="chart-grow" />
        {series && (
          <>
            <select className="chart-menu" aria-label="Charts" value={set} onChange={(event) => setSet(event.target.value)}>
              {Object.entries(SETS).map(([key, { label: name }]) => (
                <option key={key} value={key}>
                  {name}
                </option>
              ))}
            </select>
            <select
              className="chart-menu chart-wide"
              aria-label="Smoothing of loss and training accuracy"
              value={smoothing}
              onChange={(event) => onSmoothing(Number(event.target.value))}
            >
              {smoothings.map((value) => (
                <option key={value} value={value}>
                  {value === 0 ? 'raw' : `smooth ${value}`}
                </option>
              ))}
            </select>
            <button
              type="button"
              className="chart-btn chart-wide"
              aria-pressed={log}
              aria-label="Loss on a log axis"
              onClick={() => setLog(!log)}
            >
              log
            </button>
            <span className="chart-wide">
              <DataTable
                title="The run by step"
                caption={`${formatInt(series?.step.length ?? 0)} points`}
                rows={() => seriesTable(series)}
              />
            </span>
          </>
        )}
      </div>
      <Stack
        kinds={kinds}
        log={log}
        series={series}
        other={other?.series ?? null}
        marks={marks}
        totalSteps={totalSteps}
        stepsPerEpoch={stepsPerEpoch}
      />
    </section>
  );
}

function Readout({ series, label, kinds, which }: { series: Series | null; label: string; kinds: readonly ChartKind[]; which: 1 | 2 }) {
  const hovered = useHoverStep();
  const last = series?.step.at(-1);
  const step = hovered ?? last;
  const i = series && step !== undefined ? indexAt(series.step, step) : -1;
  const e = series && step !== undefined ? indexAt(series.evalStep, step) : -1;
  const part: Record<ChartKind, string> = {
    loss: series && i >= 0 ? formatFixed(series.lossSmooth[i]!, 3) : '',
    accuracy: series
      ? e >= 0
        ? formatPercent(series.evalAccuracy[e]!, 1)
        : i >= 0
          ? formatPercent(series.accuracySmooth[i]!, 1)
          : ''
      : '',
    regularizer: series && i >= 0 ? formatSignificant(series.regularizer[i]!, 3) : '',
    lr: series && i >= 0 ? formatSetting(series.lr[i]!) : '',
  };
  return (
    <span className="chart-run" data-which={which}>
      <svg className="chart-mark" viewBox="0 0 18 8" aria-hidden="true">
        {which === 1 ? (
          <path d="M0 4h18M6 4a3 3 0 1 0 6 0a3 3 0 1 0-6 0z" fill="var(--series-1)" stroke="var(--series-1)" strokeWidth="2" />
        ) : null}
        {which === 2 ? <path d="M0 4h18" stroke="var(--series-2)" strokeWidth="1.5" strokeDasharray="6 3" /> : null}
      </svg>
      {label}
      {kinds.map((kind) => (
        <b key={kind} title={NAMES[kind]}>
          {part[kind]}
        </b>
      ))}
    </span>
  );
}

function StepReadout() {
  const hovered = useHoverStep();
  return hovered === null ? null : <em className="chart-step">step {formatInt(hovered)}</em>;
}
const NAMES: Record<ChartKind, string> = { loss: 'Loss', accuracy: 'Accuracy', regularizer: 'Q3R value', lr: 'Learning rate' };

interface StackProps {
  kinds: readonly ChartKind[];
  log: boolean;
  series: Series | null;
  other: Series | null;
  marks: readonly Mark[];
  totalSteps: number;
  stepsPerEpoch?: number;
}

function Stack({ kinds, log, series, other, marks, totalSteps, stepsPerEpoch }: StackProps) {
  const root = useRef<HTMLDivElement>(null);
  const { scale } = usePalette();
  const [size, setSize] = useState({ width: 0, slot: 0 });
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
  const left = size.width < COMPACT ? 32 : 36 * scale;
  const newest = series?.step.at(-1) ?? 0;
  const lastStep = stepWindow(newest, totalSteps);

  const onPointerMove = (event: PointerEvent) => {
    const box = root.current?.getBoundingClientRect();
    if (!box || !series) return;
    const step = ((event.clientX - box.left - left) / Math.max(1, box.width - left)) * lastStep;
    setHoverStep(step < -lastStep * 0.02 ? null : nearestStep(series.step, step));
  };
  return (
    <div
      ref={root}
      className="chart-stack"
      data-count={kinds.length}
      data-empty={!series || undefined}
      style={{ '--left': `${left}px` } as CSSProperties}
      onPointerMove={onPointerMove}
      onPointerLeave={() => setHoverStep(null)}
    >
      {kinds.map((kind) => (
        <Slot
          key={kind}
          kind={kind}
          log={log && kind === 'loss'}
          series={series}
          other={other}
          lastStep={lastStep}
          left={left}
          seen={onScreen}
          {...size}
        />
      ))}
      {series && <Lane lastStep={lastStep} left={left} width={size.width} scale={scale} stepsPerEpoch={stepsPerEpoch} />}
      {series && size.width > 0 && <Events marks={marks} lastStep={lastStep} left={left} width={size.width} scale={scale} />}
      {series && size.width > 0 && <Cursor series={series} lastStep={lastStep} left={left} width={size.width} />}
      {!series && <div className="chart-lane" />}
      {!series && <p className="chart-stack-empty">Loss and accuracy appear here with the first step.</p>}
    </div>
  );
}

// All slots of one update share one table of rows.
let shared: { series: Series; other: Series | null; rows: ChartRow[] } | null = null;
const rowsOf = (series: Series, other: Series | null): ChartRow[] => {
  if (shared?.series !== series || shared.other !== other) shared = { series, other, rows: chartRows(series, other) };
  return shared.rows;
};
const NO_ROWS: ChartRow[] = [];

interface SlotProps {
  kind: ChartKind;
  log: boolean;
  series: Series | null;
  other: Series | null;
  lastStep: number;
  left: number;
  seen: boolean;
  width: number;
  slot: number;
}

const Slot = memo(function Slot({ kind, log, series, other, lastStep, left, seen, width, slot }: SlotProps) {
  const input = useMemo(() => ({ series, other, lastStep }), [series, other, lastStep]);
  const turn = useTurn(input, seen);
  const rows = turn.series ? rowsOf(turn.series, turn.other) : NO_ROWS;
  const axis = useMemo(() => valueAxis(kind, rows, log, Math.max(2, Math.min(5, Math.round(slot / 18)))), [kind, rows, log, slot]);
  const none = kind === 'regularizer' && rows.length > 0 && rows.every((row) => !row.regularizer);
  const title = {
    loss: 'Loss, training',
    accuracy: (turn.series?.evalStep.length ?? 0) > 0 ? 'Accuracy, validation' : 'Accuracy, training',
    regularizer: none ? 'Q3R value, none in the dense baseline' : 'Q3R value',
    lr: 'Learning rate',
  }[kind];
  return (
    <div className="chart-slot" role="img" aria-label={describe(title, kind, turn.series)}>
      {width > 0 && slot > 0 && rows.length > 0 && (
        <Suspense fallback={null}>
          <SeriesChart kind={kind} rows={rows} axis={axis} lastStep={turn.lastStep} width={width} height={slot} left={left} />
        </Suspense>
      )}
      {rows.length > 0 && <span className={axis.end > 0.55 ? 'chart-title low' : 'chart-title'}>{title}</span>}
    </div>
  );
});

function describe(title: string, kind: ChartKind, series: Series | null): string {
  const last = series?.step.at(-1);
  if (!series || last === undefined) return `${title}: no data yet`;
  const value = {
    loss: formatFixed(series.lossSmooth.at(-1) ?? NaN, 3),
    accuracy: formatPercent(series.evalAccuracy.at(-1) ?? series.accuracySmooth.at(-1) ?? NaN, 1),
    regularizer: formatSignificant(series.regularizer.at(-1) ?? NaN, 3),
    lr: formatSetting(series.lr.at(-1) ?? NaN),
  }[kind];
  return `${title} by step: ${value} at step ${last}`;
}

interface AxisProps {
  lastStep: number;
  left: number;
  width: number;
  scale: number;
}

/** The horizontal axis under the last chart. */
const Lane = memo(function Lane({ lastStep, left, width, scale, stepsPerEpoch }: AxisProps & { stepsPerEpoch?: number }) {
  const room = width - left;
  const ticks = room > 0 ? stepTicks(lastStep, Math.max(2, Math.min(8, Math.floor(room / (90 * scale)))), stepsPerEpoch) : [];
  return (
    <div className="chart-lane" aria-hidden="true">
      {ticks.map(({ step, name }, i) => {
        const align = i === 0 ? 'start' : i === ticks.length - 1 ? 'end' : undefined;
        return (
          <span key={step} style={{ left: left + (step / lastStep) * room }} data-align={align}>
            {name}
          </span>
        );
      })}
    </div>
  );
});

/** Changes made while the run went on: dotted lines, diamonds on the axis, names as far as there is room. */
const Events = memo(function Events({ marks, lastStep, left, width, scale }: AxisProps & { marks: readonly Mark[] }) {
  let free = left + 8;
  const drawn = marks
    .filter((mark) => mark.step > 0 && mark.step <= lastStep)
    .map((mark) => {
      const x = Math.round(left + (mark.step / lastStep) * (width - left)) + 0.5;
      const name = formatMark(mark);
      const length = name.length * 6 * scale;
      let label: 'after' | 'before' | null = null;
      if (x + 6 > free && x + 6 + length < width - 92 * scale) label = 'after';
      else if (x - 6 - length > free) label = 'before';
      if (label) free = label === 'after' ? x + 12 + length : x;
      return { key: `${mark.step} ${name}`, x, name, label };
    });
  return (
    <svg className="chart-events" aria-hidden="true">
      {drawn.map(({ key, x, name, label }) => (
        <g key={key}>
          <title>{name}</title>
          <svg y="100%" overflow="visible">
            <path className="chart-diamond" d={`M${x} 1l4 4l-4 4l-4-4z`} />
          </svg>
          <line x1={x} x2={x} y1="0" y2="100%" />
          {label && (
            <text x={label === 'after' ? x + 6 : x - 6} y={13 * scale} textAnchor={label === 'after' ? 'start' : 'end'}>
              {name}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
});

/** The cursor through all charts: follows the pointer, and the arrow keys while it has the focus. */
function Cursor({ series, lastStep, left, width }: { series: Series; lastStep: number; left: number; width: number }) {
  const hovered = useHoverStep();
  const steps = series.step;
  const newest = steps.at(-1) ?? 0;
  const step = hovered ?? newest;
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const i = Math.min(steps.length - 1, Math.max(0, indexAt(steps, step) + by));
    setHoverStep(steps[i] ?? null);
  };
  return (
    <div
      className="chart-cursor"
      role="slider"
      tabIndex={0}
      aria-label="Look at step"
      aria-valuemin={steps[0] ?? 0}
      aria-valuemax={newest}
      aria-valuenow={step}
      aria-valuetext={`step ${step}, loss ${formatFixed(series.lossSmooth[Math.max(0, indexAt(steps, step))] ?? NaN, 3)}`}
      data-on={hovered !== null || undefined}
      style={{ left: Math.round(left + Math.min(1, step / lastStep) * (width - left)) }}
      onKeyDown={onKeyDown}
      onBlur={() => setHoverStep(null)}
    />
  );
}

function seriesTable(s: Series | null) {
  return {
    head: ['Step', 'Loss', 'Smoothed', 'Training accuracy', 'Validation loss', 'Validation accuracy', 'Q3R value', 'Learning rate'],
    body: s
      ? Array.from(s.step, (step, i) => {
          const e = indexAt(s.evalStep, step);
          const fresh = e >= 0 && s.evalStep[e]! > (s.step[i - 1] ?? -1);
          return [
            formatInt(step),
            formatFixed(s.loss[i]!, 4),
            formatFixed(s.lossSmooth[i]!, 4),
            formatPercent(s.accuracySmooth[i]!, 1),
            fresh ? formatFixed(s.evalLoss[e]!, 4) : '',
            fresh ? formatPercent(s.evalAccuracy[e]!, 1) : '',
            formatSignificant(s.regularizer[i]!, 4),
            formatSetting(s.lr[i]!),
          ];
        })
      : [],
  };
}
