import { memo, useMemo } from 'react';
import { CartesianGrid, ComposedChart, Curve, XAxis, YAxis } from 'recharts';
import type { XScale } from './axis';
import type { ChartKind, ValueAxis } from './chartData';
import { chartShape, type OtherShape, type Point } from './chartShape';
import type { RunCurve } from './curves';
import { tickText } from './format';
import { isOpen, markerPath, runStyle } from './runStyle';

export interface SeriesChartProps {
  kind: ChartKind;
  curves: readonly RunCurve[];
  axis: ValueAxis;
  x: XScale;
  width: number;
  height: number;
  /** Width of the value axis. */
  left: number;
}

/** Space above and below the plot of a line chart. */
const MARGIN = { top: 6, right: 0, bottom: 4, left: 0 };
/** Up to so many evaluations have a dot each. */
const DOTS = 30;

/**
 * One line chart. The frame is drawn when its axis changes; the curves, which change five times a second, are paths over it, so that
 * an update costs the page no more than their text. Cursor, events and titles lie over both and never redraw them.
 */
export default memo(function SeriesChart({ kind, curves, axis, x, width, height, left }: SeriesChartProps) {
  const w = Math.max(0, width - left);
  const h = Math.max(0, height - MARGIN.top - MARGIN.bottom);
  const { band, raw, others, main, end } = useMemo(
    () => chartShape(kind, curves, axis, x, { width: w, height: h }),
    [kind, curves, axis, x, w, h],
  );
  const dots = kind === 'accuracy' && main.measured && main.points.length <= DOTS ? main.points.filter((p) => p.x >= 0 && p.x <= w) : [];
  return (
    <>
      <Frame
        kind={kind}
        low={axis.domain[0]}
        high={axis.domain[1]}
        ticks={axis.ticks.join(' ')}
        log={axis.log}
        width={width}
        height={height}
        left={left}
      />
      <svg className="chart-curves" width={w} height={h} style={{ left, top: MARGIN.top }} aria-hidden="true">
        {/* The inner one cuts off what leaves the axis; the last point may stand half outside. */}
        <svg width={w} height={h} overflow="hidden">
          {band && (
            <Curve
              className="recharts-area"
              points={band.high}
              baseLine={band.low}
              layout="horizontal"
              stroke="none"
              fill="var(--series-1)"
              fillOpacity={0.2}
            />
          )}
          <Stroke points={raw} opacity={kind === 'loss' ? 0.32 : 0.42} width={1} />
          {others.map((other) => (
            <Other key={other.key} other={other} height={h} />
          ))}
          <Stroke points={main.points} width={2} />
        </svg>
        {dots.map(({ x: at, y }, i) => (
          <circle key={i} cx={at} cy={y} r={2} fill="var(--series-1)" />
        ))}
        {end && <circle cx={end.x} cy={end.y} r={3} fill="var(--series-1)" />}
      </svg>
    </>
  );
});

interface StrokeProps {
  points: readonly Point[];
  colour?: string;
  opacity?: number;
  width: number;
  dash?: string;
}

const Stroke = ({ points, colour = 'var(--series-1)', opacity, width, dash }: StrokeProps) =>
  points.length > 0 && (
    <Curve
      className="recharts-line-curve"
      points={points}
      fill="none"
      stroke={colour}
      strokeOpacity={opacity}
      strokeWidth={width}
      strokeLinejoin="round"
      strokeDasharray={dash}
    />
  );

/** Another run: its dash all along, and its marker here and there. */
function Other({ other: { style, points, markers }, height }: { other: OtherShape; height: number }) {
  const { colour, dash, marker } = runStyle(style);
  const paint = `var(--${colour})`;
  const path = markers
    .filter(({ y }) => y >= 0 && y <= height)
    .map(({ x, y }) => markerPath(marker, x, y, 2.75))
    .join('');
  return (
    <g className="chart-other" data-style={style}>
      <Stroke points={points} colour={paint} width={1.5} dash={dash.join(' ') || undefined} />
      <path d={path} fill={isOpen(marker) ? 'none' : paint} stroke={paint} strokeWidth={1.25} />
    </g>
  );
}

interface FrameProps {
  kind: ChartKind;
  low: number;
  high: number;
  /** Numbers, separated by spaces: the same text is the same axis. */
  ticks: string;
  log: boolean;
  width: number;
  height: number;
  left: number;
}

/** Value axis and grid. */
const Frame = memo(function Frame({ kind, low, high, ticks, log, width, height, left }: FrameProps) {
  return (
    <ComposedChart width={width} height={height} margin={MARGIN} accessibilityLayer={false} className="chart-series">
      <CartesianGrid vertical={false} syncWithTicks stroke="var(--line-1)" />
      <XAxis type="number" domain={UNIT} allowDataOverflow hide />
      <YAxis
        width={left}
        type="number"
        domain={[low, high]}
        ticks={ticks.split(' ').map(Number)}
        scale={log ? 'log' : 'linear'}
        interval={0}
        allowDataOverflow
        axisLine={false}
        tickLine={false}
        tickMargin={6}
        tickFormatter={TICK_TEXT[kind]}
        tick={TICK}
      />
    </ComposedChart>
  );
});

const TICK_TEXT: Record<ChartKind, (value: number) => string> = {
  loss: (value) => tickText('loss', value),
  accuracy: (value) => tickText('accuracy', value),
  regularizer: (value) => tickText('regularizer', value),
  lr: (value) => tickText('lr', value),
};
const UNIT = [0, 1];
const TICK = { fill: 'var(--text-3)' } as const;
