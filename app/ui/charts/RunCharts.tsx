import { useCallback } from 'react';
import { resetZoom, setAxis, setLogX, setLogY, setSmoothing, setZoom } from '../../store/actions';
import { useStore } from '../../store/store';
import { CHART_KINDS } from './chartData';
import { RunChartsView } from './RunChartsView';
import { SaveMenu } from './SaveMenu';
import { LiveButton, Scrubber } from './Scrubber';
import { useCurves } from './useCurves';
import { useXScale } from './useXScale';

const zoomTo = (zoom: readonly [number, number] | null) => (zoom ? setZoom(...zoom) : resetZoom());

/** Curves of the run on screen, of its dense baseline and of the kept runs that are shown, over the scrubber. */
export function RunCharts() {
  const x = useXScale();
  const curves = useCurves(x);
  const marks = useStore((s) => s.marks);
  const smoothing = useStore((s) => s.smoothing);
  const logY = useStore((s) => s.logY);
  const newest = useStore((s) => s.series?.step.at(-1) ?? 0);
  const foot = useCallback(
    ({ left, width }: { left: number; width: number }) => <Scrubber x={x} left={left} width={width} newest={newest} />,
    [x, newest],
  );
  return (
    <RunChartsView
      curves={curves}
      x={x}
      marks={marks}
      smoothing={smoothing}
      onSmoothing={setSmoothing}
      logY={logY}
      onAxis={setAxis}
      onLogX={setLogX}
      onLogY={setLogY}
      onZoom={zoomTo}
      foot={newest > 0 ? foot : undefined}
      tools={
        <>
          <SaveMenu title="Save charts and data" what={CHART_KINDS} all />
          {newest > 0 && <LiveButton />}
        </>
      }
    />
  );
}
