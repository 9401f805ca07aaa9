import { useCallback, useState } from 'react';
import type { MatrixSpectrum } from '../../protocol/messages';
import { select } from '../../store/actions';
import { frames } from '../../store/frames';
import { getState, useStore } from '../../store/store';
import { MatrixInspectorView, type TimeView } from './MatrixInspectorView';
import { useSpectraColumns } from './runHistory';
import { SaveMenu } from './SaveMenu';
import { useTopDecade } from './useTopDecade';
import { useViewedSpectra, viewedSpectra, watchViewedSpectra } from './viewed';
import { useXScale } from './useXScale';

const find = (matrices: readonly MatrixSpectrum[] | undefined, name: string) => matrices?.find((m) => m.name === name);

/** The matrix chosen on the wall, of the run or of the baseline, whichever the wall shows. */
export function MatrixInspector() {
  const spectra = useViewedSpectra();
  const newest = useStore((s) => s.spectra);
  const baseline = useStore((s) => s.baseline);
  const showsBaseline = useStore((s) => s.wallView === 'baseline' && s.baseline !== null);
  const selected = useStore((s) => s.selected);
  const marks = useStore((s) => s.marks);
  const x = useXScale();
  const [view, setView] = useState<TimeView>('now');
  const history = useSpectraColumns(selected);
  const top = useTopDecade(newest?.matrices ?? null, baseline?.matrices, frames.largest);
  const shown = showsBaseline ? baseline?.matrices : spectra?.matrices;
  const matrix = find(shown, selected) ?? shown?.[0] ?? null;
  const name = matrix?.name ?? '';
  const now = useCallback(() => find(viewedSpectra()?.matrices, name) ?? null, [name]);
  const overTime = view === 'time' && history !== null && !showsBaseline;
  return (
    <MatrixInspectorView
      matrix={matrix}
      now={showsBaseline ? undefined : now}
      watch={watchViewedSpectra}
      viewed={spectra && newest && spectra.step !== newest.step && !showsBaseline ? spectra.step : null}
      tools={<SaveMenu title="Save this matrix" what={overTime ? ['heat', 'spectrum'] : history ? ['spectrum', 'heat'] : ['spectrum']} />}
      ghost={showsBaseline ? undefined : find(baseline?.matrices, selected)}
      top={top}
      onMove={move}
      arrows={shown?.some((m) => m.block < 0)}
      history={showsBaseline ? null : history}
      view={view}
      onView={setView}
      marks={marks}
      x={x}
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
