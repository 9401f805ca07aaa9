import { useStore } from '../../store/store';
import { FormulaPanelView } from './FormulaPanelView';
import { useSlow } from './useSlow';
import { useViewedSpectra } from './viewed';

/** Spectra come with the training steps; figures that change faster cannot be read. */
const PERIOD_MS = 200;

/** The method's formula with the numbers of the chosen matrix, of the run or of the baseline, whichever the wall shows. */
export function FormulaPanel() {
  const baseline = useStore((s) => (s.wallView === 'baseline' ? s.baseline : null));
  const spectra = useViewedSpectra();
  const selected = useStore((s) => s.selected);
  const experiment = useStore((s) => baseline?.experiment ?? s.running ?? s.experiment);
  const lr = useStore((s) => (s.step > 0 ? s.latest?.lr : undefined) ?? (s.running ?? s.experiment).train.lr);
  const marks = useStore((s) => s.marks);
  const shown = useSlow(baseline ?? spectra, PERIOD_MS);
  const slowLr = useSlow(lr, PERIOD_MS);
  const matrix = shown?.matrices.find((m) => m.name === selected) ?? shown?.matrices[0] ?? null;
  return (
    <FormulaPanelView
      matrix={matrix}
      method={experiment.method}
      train={experiment.train}
      lr={slowLr}
      step={shown?.step ?? 0}
      marks={marks}
    />
  );
}
