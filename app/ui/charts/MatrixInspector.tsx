import { useState } from 'react';
import type { MatrixSpectrum } from '../../protocol/messages';
import { select } from '../../store/actions';
import { getState, useStore } from '../../store/store';
import { MatrixInspectorView, type TimeView } from './MatrixInspectorView';
import { useSpectraColumns } from './runHistory';
import { useTopDecade } from './useTopDecade';

const find = (matrices: readonly MatrixSpectrum[] | undefined, name: string) => matrices?.find((m) => m.name === name);

/** The matrix chosen on the wall, of the run or of the baseline, whichever the wall shows. */
export function MatrixInspector() {
  const spectra = useStore((s) => s.spectra);
  const baseline = useStore((s) => s.baseline);
  const showsBaseline = useStore((s) => s.wallView === 'baseline' && s.baseline !== null);
  const selected = useStore((s) => s.selected);
  const marks = useStore((s) => s.marks);
  const step = useStore((s) => s.spectra?.step ?? 0);
  const totalSteps = useStore((s) => s.totalSteps);
  const [view, setView] = useState<TimeView>('now');
  const history = useSpectraColumns(selected);
  const top = useTopDecade(spectra?.matrices ?? null, baseline?.matrices);
  const shown = showsBaseline ? baseline?.matrices : spectra?.matrices;
  return (
    <MatrixInspectorView
      matrix={find(shown, selected) ?? shown?.[0] ?? null}
      ghost={showsBaseline ? undefined : find(baseline?.matrices, selected)}
      top={top}
      onMove={move}
      arrows={shown?.some((m) => m.block < 0)}
      history={showsBaseline ? null : history}
      view={view}
      onView={setView}
      marks={marks}
      step={step}
      totalSteps={totalSteps}
    />
  );
}

/** Selects the next or previous matrix in the model's order, around the ends. */
function move(by: 1 | -1): void {
  const { spectra, selected } = getState();
  if (!spectra) return;
  const { matrices } = spectra;
  const i = matrices.findIndex((m) => m.name === selected);
  const next = matrices[(i + by + matrices.length) % matrices.length];
  if (next) select(next.name);
}
