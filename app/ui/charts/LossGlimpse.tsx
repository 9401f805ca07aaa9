import { useStore } from '../../store/store';
import { LossGlimpseView } from './LossGlimpseView';

/** The loss of the run on screen; where it stopped being finite, up to that step with the last good snapshot marked. */
export function LossGlimpse() {
  const series = useStore((s) => s.series);
  const badStep = useStore((s) => (s.fault?.kind === 'non-finite' ? s.fault.step : undefined));
  const snapshotStep = useStore((s) => (s.fault?.kind === 'non-finite' ? s.fault.snapshotStep : undefined));
  return <LossGlimpseView series={series} badStep={badStep} snapshotStep={snapshotStep} />;
}
