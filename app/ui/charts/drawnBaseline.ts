import type { Baseline, ShownRun } from '../../store/store';

/** The style that the dense baseline is drawn in beside the runs shown; null where it is one of them itself. */
export function baselineStyle(baseline: Baseline, shown: readonly ShownRun[]): number | null {
  const same = ({ record }: ShownRun): boolean =>
    record.step === (baseline.series?.step.at(-1) ?? baseline.step) &&
    JSON.stringify(record.experiment) === JSON.stringify(baseline.experiment);
  if (shown.some(same)) return null;
  for (let style = 2; style <= 8; style++) if (!shown.some((run) => run.style === style)) return style;
  return null;
}
