import { useState, type ReactNode } from 'react';
import type { Mark } from '../../protocol/messages';
import type { Axis } from '../../store/store';
import type { XScale } from './axis';
import type { ChartKind } from './chartData';
import { PlaceReadout, Readout } from './ChartReadout';
import { ChartStack, type StackProps } from './ChartStack';
import { curvesTable } from './curvesTable';
import type { RunCurve } from './curves';
import { DataTable } from './DataTable';
import { formatInt } from './format';
import { Icon } from '../icons';

export interface RunChartsViewProps {
  /** That of the run on screen, if there is one, first; see `RunCurve`. */
  curves: readonly RunCurve[];
  x: XScale;
  marks: readonly Mark[];
  smoothing: number;
  onSmoothing: (smoothing: number) => void;
  logY: boolean;
  onAxis: (axis: Axis) => void;
  onLogX: (log: boolean) => void;
  onLogY: (log: boolean) => void;
  onZoom: StackProps['onZoom'];
  foot?: StackProps['foot'];
  /** More controls in the head. */
  tools?: ReactNode;
}

const SETS: Record<string, { label: string; kinds: readonly ChartKind[] }> = {
  main: { label: 'Loss, accuracy', kinds: ['loss', 'accuracy'] },
  method: { label: 'Q3R value, learning rate', kinds: ['regularizer', 'lr'] },
  all: { label: 'All', kinds: ['loss', 'accuracy', 'regularizer', 'lr'] },
};
const SMOOTHINGS = [0, 0.9, 0.97, 0.99];
const AXES: readonly { value: Axis; label: string }[] = [
  { value: 'step', label: 'by step' },
  { value: 'epoch', label: 'by epoch' },
  { value: 'images', label: 'by images' },
  { value: 'seconds', label: 'by time' },
];

/** Curves of the run and of those beside it, one cursor through all of them. */
export function RunChartsView(props: RunChartsViewProps) {
  const { curves, x, marks, smoothing, onSmoothing, logY, onAxis, onLogX, onLogY, onZoom, foot, tools } = props;
  const [set, setSet] = useState('main');
  const kinds = SETS[set]!.kinds;
  const smoothings = SMOOTHINGS.includes(smoothing) ? SMOOTHINGS : [...SMOOTHINGS, smoothing].sort((a, b) => a - b);
  const points = curves.reduce((sum, { series }) => sum + series.step.length, 0);
  return (
    <section className="chart-runs" aria-label="Charts">
      <div className="chart-head small">
        <div className="chart-legend-runs">
          {curves.map((curve) => (
            <Readout key={curve.key} curve={curve} kinds={kinds} x={x} />
          ))}
          {/* Its place is kept free, so that nothing moves when the cursor comes. */}
          <span className="chart-place">
            <PlaceReadout x={x} />
          </span>
        </div>
        {curves.length > 0 && (
          <div className="chart-tools">
            <div className="chart-tools-set">
              <select className="chart-menu" aria-label="Charts" value={set} onChange={(event) => setSet(event.target.value)}>
                {Object.entries(SETS).map(([key, { label: name }]) => (
                  <option key={key} value={key}>
                    {name}
                  </option>
                ))}
              </select>
              <select
                className="chart-menu"
                aria-label="Horizontal axis"
                value={x.axis}
                onChange={(event) => onAxis(event.target.value as Axis)}
              >
                {AXES.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
              <select
                className="chart-menu"
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
              <Toggle label="log x" name="Horizontal axis logarithmic" on={x.log} onChange={onLogX} />
              <Toggle label="log y" name="Vertical axes logarithmic" on={logY} onChange={onLogY} />
            </div>
            <div className="chart-tools-more">
              {x.zoomed && (
                <button
                  type="button"
                  className="chart-btn icon chart-reset"
                  aria-label="Reset zoom"
                  title="Reset zoom (Escape)"
                  onClick={() => onZoom(null)}
                >
                  <Icon name="reset" />
                </button>
              )}
              <DataTable
                title="The runs by step"
                caption={`${formatInt(points)} points, ${curves.length} ${curves.length === 1 ? 'run' : 'runs'}`}
                rows={() => curvesTable(curves, x)}
              />
              {tools}
            </div>
          </div>
        )}
      </div>
      <ChartStack kinds={kinds} logY={logY} curves={curves} x={x} marks={marks} onZoom={onZoom} foot={foot} />
    </section>
  );
}

const Toggle = ({ label, name, on, onChange }: { label: string; name: string; on: boolean; onChange: (on: boolean) => void }) => (
  <button type="button" className="chart-btn" aria-pressed={on} aria-label={name} title={name} onClick={() => onChange(!on)}>
    {label}
  </button>
);
