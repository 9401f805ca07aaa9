import { adopt, attemptNow } from '../../store/actions';
import { useStore } from '../../store/store';
import { Icon } from '../icons';

/** Why the shown experiment cannot be run here, and the nearest that can. */
export function Refused() {
  const refusal = useStore((s) => s.plan?.refusal);
  const error = useStore((s) => s.planError);
  const preset = useStore((s) => s.preset);
  // What is on screen is not to be run; the recording's strip says whether it can be.
  const replay = useStore((s) => s.replay !== null);
  if (replay) return null;
  if (error)
    return (
      <div className="note warn" role="alert">
        <Icon name="warn" />
        <span>
          {error.message} {error.field !== 'experiment' && <code>{error.field}</code>}
        </span>
      </div>
    );
  if (!refusal) return null;
  return (
    <div className="note warn" role="alert">
      <Icon name="warn" />
      <div>
        <p>{refusal.reason}</p>
        <button type="button" className="btn line sm" onClick={() => attemptNow(() => adopt(refusal.nearest, preset, 'the model'))}>
          Use {refusal.nearestText}
        </button>
      </div>
    </div>
  );
}
