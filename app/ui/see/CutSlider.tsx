import { attempt, evaluateCut, setCut } from '../../store/actions';
import { useStore } from '../../store/store';
import { formatFixed } from '../charts/format';
import { Slider } from '../controls/Slider';

/** The slider of "Cut the tail", at hand where its model is looked into. */
export function CutSlider() {
  const by = useStore((s) => s.cutBy);
  const at = useStore((s) => s.cutAt[s.cutBy]);
  const kept = `${formatFixed(at * 100, by === 'energy' ? 1 : 0)}\u2009%`;
  const what = by === 'energy' ? 'of the energy' : 'of the parameters';
  return (
    <div className="see-cut">
      <span className="lab">
        Cut: keep <b>{kept}</b> {what}
      </span>
      <Slider
        min={0}
        max={1}
        scale="linear"
        step={by === 'energy' ? 0.005 : 0.01}
        label={by === 'energy' ? 'Energy kept by the cut' : 'Parameters kept by the cut'}
        value={at}
        valueText={`${kept} ${what}`}
        onMove={setCut}
        onDone={() => attempt(evaluateCut())}
      />
    </div>
  );
}
