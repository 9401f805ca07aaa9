import { memo } from 'react';
import { CartesianGrid, ComposedChart, Line, ReferenceLine, XAxis, YAxis } from 'recharts';
import type { CutRow, CutShows } from './cuts';
import { isOpen, markerPath, runStyle } from './runStyle';
import { PLOT } from './truncationPlotSize';

export interface TruncationChartProps {
  rows: CutRow[];
  shows: CutShows;
  axis: { readonly domain: [number, number]; readonly ticks: number[] };
  /** Largest share on the horizontal axis. */
  end: number;
  /** Of the untruncated model. */
  full: number;
  /** Styles of the other runs, in the order of the rows. */
  styles: readonly number[];
  width: number;
  height: number;
  /** Width of the value axis, and of the margin at the other side. */
  left: number;
  right: number;
}

const percent = (value: number) => `${Math.round(value * 100)}%`;
const plain = (value: number) => String(value);

const still = {
  isAnimationActive: false,
  connectNulls: true,
  type: 'linear',
  activeDot: false,
  legendType: 'none',
  tooltipType: 'none',
} as const;

/** Accuracy or loss by the share of the parameters kept. The slider's line and marks lie over it and never redraw it. */
export default memo(function TruncationChart(props: TruncationChartProps) {
  const { rows, shows, axis, end, full, styles, width, height, left, right } = props;
  return (
    <ComposedChart
      width={width}
      height={height}
      data={rows}
      margin={{ ...PLOT, left: 0, right }}
      accessibilityLayer={false}
      className="chart-series"
    >
      <CartesianGrid vertical={false} syncWithTicks stroke="var(--line-1)" />
      <XAxis dataKey="kept" type="number" domain={[0, end]} hide />
      <YAxis
        width={left}
        type="number"
        domain={axis.domain}
        ticks={axis.ticks}
        interval={0}
        axisLine={false}
        tickLine={false}
        tickMargin={6}
        tickFormatter={shows === 'accuracy' ? percent : plain}
        tick={TICK}
      />
      <ReferenceLine y={full} stroke="var(--series-1)" strokeDasharray="1 3" />
      {styles.map((style, i) => (
        <Line
          {...still}
          key={style}
          dataKey={OTHERS[i]}
          stroke={`var(--${runStyle(style).colour})`}
          strokeWidth={1.5}
          strokeDasharray={runStyle(style).dash.join(' ') || undefined}
          dot={DOTS[style - 1]}
        />
      ))}
      <Line {...still} dataKey="run" stroke="var(--series-1)" strokeWidth={2} strokeLinejoin="round" dot={DOT} />
    </ComposedChart>
  );
});

const TICK = { fill: 'var(--text-3)' } as const;
const DOT = { r: 2.5, fill: 'var(--series-1)', stroke: 'none' } as const;

/** Stable accessors and dots: recharts draws a line anew when they change. */
const OTHERS = Array.from({ length: 8 }, (_, i) => (row: CutRow) => row.others[i] ?? null);
const DOTS = Array.from({ length: 8 }, (_, i) => {
  const { colour, marker } = runStyle(i + 1);
  const paint = `var(--${colour})`;
  return function dot({ cx, cy, index, value }: { cx?: number; cy?: number; index?: number; value?: unknown }) {
    if (cx === undefined || cy === undefined || value === null || value === undefined) return <g key={index} />;
    return <path key={index} d={markerPath(marker, cx, cy, 2.75)} fill={isOpen(marker) ? 'none' : paint} stroke={paint} />;
  };
});
