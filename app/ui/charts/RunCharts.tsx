import { useMemo } from 'react';
import { methodFields } from '../../engine/regularizers/q3r/config';
import { setSmoothing } from '../../store/actions';
import { useStore } from '../../store/store';
import { RunChartsView } from './RunChartsView';

/** Curves of the run on screen and, dashed, of its dense baseline. */
export function RunCharts() {
  const series = useStore((s) => s.series);
  const baseline = useStore((s) => s.baseline);
  const method = useStore((s) => (s.running ?? s.experiment).method.name);
  const marks = useStore((s) => s.marks);
  const totalSteps = useStore((s) => s.totalSteps);
  const smoothing = useStore((s) => s.smoothing);
  const stepsPerEpoch = useStore((s) => (s.xAxis === 'epoch' ? s.plan?.stepsPerEpoch : undefined));
  const other = useMemo(() => (baseline?.series ? { label: 'Dense AdamW', series: baseline.series } : null), [baseline]);
  return (
    <RunChartsView
      series={series}
      label={methodName(method)}
      other={other}
      marks={marks}
      totalSteps={totalSteps}
      smoothing={smoothing}
      onSmoothing={setSmoothing}
      stepsPerEpoch={stepsPerEpoch}
    />
  );
}

const techniques = methodFields.fields.find((field) => field.key === 'name');
/** The technique as the form names it. */
export const methodName = (name: string): string =>
  techniques?.kind === 'choice' ? (techniques.options.find((option) => option.value === name)?.label ?? name) : name;
