import { memo } from 'react';
import { Area, CartesianGrid, ComposedChart, Line, ReferenceDot, XAxis, YAxis } from 'recharts';
import type { ChartKind, ChartRow, ValueAxis } from './chartData';
import { formatSetting } from './format';

export interface SeriesChartProps {
  kind: ChartKind;
  rows: ChartRow[];
  axis: ValueAxis;
  lastStep: number;
  width: number;
  height: number;
  /** Width of the value axis. */
  left: number;
}

const MARGIN = { top: 6, right: 0, bottom: 4, left: 0 };
/** Up to so many evaluations have a dot each. */
const DOTS = 30;

const tickText = (kind: ChartKind) => (value: number) =>
  kind === 'accuracy' ? `${Math.round(value * 100)}%` : kind === 'loss' ? lossText(value) : formatSetting(value);
const lossText = (value: number) => (value < 0.1 ? formatSetting(value) : value.toFixed(1));
const TICK_TEXT = { loss: tickText('loss'), accuracy: tickText('accuracy'), regularizer: tickText('regularizer'), lr: tickText('lr') };

const lastOf = (rows: readonly ChartRow[], key: 'smooth' | 'validation' | 'accuracy' | 'regularizer' | 'lr') => {
  for (let i = rows.length - 1; i >= 0; i--) if (rows[i]![key] !== null) return { x: rows[i]!.step, y: rows[i]![key]! };
  return null;
};

const still = {
  isAnimationActive: false,
  connectNulls: true,
  type: 'linear',
  activeDot: false,
  legendType: 'none',
  tooltipType: 'none',
} as const;

/** One line chart. Cursor, events and titles lie over it and never redraw it. */
export default memo(function SeriesChart({ kind, rows, axis, lastStep, width, height, left }: SeriesChartProps) {
  const evaluations = rows.reduce((sum, row) => sum + (row.validation === null ? 0 : 1), 0);
  const main = kind === 'loss' ? 'smooth' : kind === 'accuracy' ? (evaluations ? 'validation' : 'accuracy') : kind;
  const end = lastOf(rows, main);
  const hasBand = kind === 'loss' && rows.some((row) => row.band);
  const hasOther =
    kind === 'loss' ? rows.some((row) => row.otherSmooth !== null) : kind === 'accuracy' && rows.some((row) => row.otherAccuracy !== null);
  return (
    <ComposedChart width={width} height={height} data={rows} margin={MARGIN} accessibilityLayer={false} className="chart-series">
      <CartesianGrid vertical={false} syncWithTicks stroke="var(--line-1)" />
      <XAxis dataKey="step" type="number" domain={[0, lastStep]} allowDataOverflow hide />
      <YAxis
        width={left}
        type="number"
        domain={axis.domain}
        ticks={axis.ticks}
        scale={axis.log ? 'log' : 'linear'}
        interval={0}
        allowDataOverflow
        axisLine={false}
        tickLine={false}
        tickMargin={6}
        tickFormatter={TICK_TEXT[kind]}
        tick={TICK}
      />
      {hasBand && <Area {...still} dataKey="band" stroke="none" fill="var(--series-1)" fillOpacity={0.2} />}
      {kind === 'loss' && !hasBand && (
        <Line {...still} dataKey="loss" stroke="var(--series-1)" strokeOpacity={0.32} strokeWidth={1} dot={false} />
      )}
      {kind === 'accuracy' && evaluations > 0 && (
        <Line {...still} dataKey="accuracy" stroke="var(--series-1)" strokeOpacity={0.42} strokeWidth={1} dot={false} />
      )}
      {hasOther && (
        <Line
          {...still}
          dataKey={kind === 'loss' ? 'otherSmooth' : 'otherAccuracy'}
          stroke="var(--series-2)"
          strokeWidth={1.5}
          strokeDasharray="6 3"
          dot={false}
        />
      )}
      <Line
        {...still}
        dataKey={main}
        stroke="var(--series-1)"
        strokeWidth={2}
        strokeLinejoin="round"
        dot={kind === 'accuracy' && main === 'validation' && evaluations <= DOTS ? DOT : false}
      />
      {end && <ReferenceDot x={end.x} y={end.y} r={3} fill="var(--series-1)" stroke="none" ifOverflow="visible" />}
    </ComposedChart>
  );
});

const TICK = { fill: 'var(--text-3)' } as const;
const DOT = { r: 2, fill: 'var(--series-1)', stroke: 'none' } as const;
