import { useStore } from '../../store/store';
import { FormulaPanelView } from './FormulaPanelView';

/** The method's formula with the numbers of the chosen matrix. */
export function FormulaPanel() {
  const showsBaseline = useStore((s) => s.wallView === 'baseline' && s.baseline !== null);
  const matrix = useStore((s) => {
    const matrices = s.wallView === 'baseline' && s.baseline ? s.baseline.matrices : s.spectra?.matrices;
    return matrices?.find((m) => m.name === s.selected) ?? null;
  });
  const method = useStore((s) => (s.running ?? s.experiment).method.name);
  const lambda = useStore((s) => (s.running ?? s.experiment).method.lambda);
  return <FormulaPanelView matrix={matrix} method={showsBaseline ? 'adamw' : method} lambda={lambda} />;
}
