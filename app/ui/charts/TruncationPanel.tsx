import { useEffect, useMemo } from 'react';
import { attempt, evaluateCut, measureCurve, saveFactored, setCut, setCutBy, setCutShows } from '../../store/actions';
import { useStore } from '../../store/store';
import { matchingShare, otherCuts, shareOf } from './cuts';
import { methodName } from './methodName';
import { SaveMenu } from './SaveMenu';
import { TruncationPanelView } from './TruncationPanelView';

/** A standing run is measured anew when it has stood still for so long, milliseconds. */
const REST = 400;

/** The proof: the run's matrices cut to their leading singular values, beside the dense baseline's. */
export function TruncationPanel() {
  const by = useStore((s) => s.cutBy);
  const at = useStore((s) => s.cutAt[s.cutBy]);
  const shows = useStore((s) => s.cutShows);
  const curve = useStore((s) => s.curves[s.cutBy] ?? null);
  const baseline = useStore((s) => s.baseline);
  const overlaid = useStore((s) => s.shown);
  const measuring = useStore((s) => s.measuring);
  const cut = useStore((s) => s.cut);
  const busy = useStore((s) => s.cutBusy);
  const step = useStore((s) => s.step);
  const phase = useStore((s) => s.phase);
  const experiment = useStore((s) => s.running ?? s.experiment);
  const matrices = useStore((s) => s.spectra?.matrices ?? s.plan?.matrices);
  const recorded = useStore((s) => s.replay !== null);
  const { method } = experiment;

  const running = phase === 'running';
  const standing = !recorded && (phase === 'paused' || phase === 'finished');
  const stale = standing && curve !== null && curve.step !== step && measuring === null;
  useEffect(() => {
    if (!stale) return;
    const timer = setTimeout(() => attempt(measureCurve()), REST);
    return () => clearTimeout(timer);
  }, [stale, step, by]);

  const fits = cut?.by === by && shareOf(cut, by) === at && (running ? cut.step >= (curve?.step ?? 0) : cut.step === step);
  const others = useMemo(() => otherCuts(method.name === 'adamw' ? null : baseline, overlaid, by), [baseline, overlaid, by, method.name]);
  return (
    <TruncationPanelView
      label={methodName(method.name)}
      curve={curve}
      others={others}
      by={by}
      at={at}
      shows={shows}
      cut={fits ? cut : null}
      busy={busy}
      measuring={measuring}
      step={step}
      ready={(running || standing) && method.targetModules.length > 0}
      recorded={recorded}
      matching={matrices ? matchingShare(matrices, method.targetModules) : NaN}
      onCut={(value) => {
        setCut(value);
        attempt(evaluateCut());
      }}
      onBy={(value) => {
        setCutBy(value);
        attempt(evaluateCut());
      }}
      onShows={setCutShows}
      onMeasure={() => attempt(measureCurve())}
      onSave={() => attempt(saveFactored())}
      tools={curve && <SaveMenu title="Save the curves of truncation" what={['truncation']} />}
    />
  );
}
