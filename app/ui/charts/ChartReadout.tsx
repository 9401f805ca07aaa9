import { axisName, type XScale } from './axis';
import { CHART_KINDS, valuesAt, type ChartKind } from './chartData';
import type { RunCurve } from './curves';
import { valueText } from './format';
import { useHoverStep } from './hoverStep';

import { RunMark } from './RunMark';

export const CHART_NAMES: Record<ChartKind, string> = { loss: 'Loss', accuracy: 'Accuracy', regularizer: 'Q3R value', lr: 'Learning rate' };

/** Legend and figures of a run: those at the cursor, at the same place of the axis for all runs, else the newest. */
export function Readout({ curve, kinds, x }: { curve: RunCurve; kinds: readonly ChartKind[]; x: XScale }) {
  const hovered = useHoverStep();
  const { series, map, style, label } = curve;
  const values = valuesAt(series, hovered === null ? Infinity : stepOf(hovered, x, map));
  return (
    <span className="chart-run" data-which={style === 1 ? 1 : 2} title={style === 1 ? undefined : label}>
      <RunMark style={style} />
      <span className="chart-run-name">{label}</span>
      {CHART_KINDS.filter((kind) => kinds.includes(kind)).map((kind) => (
        <b key={kind} title={CHART_NAMES[kind]}>
          {valueText(kind, values[kind])}
        </b>
      ))}
    </span>
  );
}

/** The step of a run that stands where a step of the run on screen does; a little forgiving for rounding. */
export const stepOf = (step: number, x: XScale, map: RunCurve['map']): number =>
  map === x.map ? step : map.from(x.map.to(step)) * (1 + 1e-9);

/** Where the cursor is, by step and in the axis' unit. */
export function PlaceReadout({ x }: { x: XScale }) {
  const hovered = useHoverStep();
  if (hovered === null) return null;
  const step = axisName('step', hovered);
  return <em className="chart-step">{x.axis === 'step' ? step : `${axisName(x.axis, x.map.to(hovered))}, ${step}`}</em>;
}
