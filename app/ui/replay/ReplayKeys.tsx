import { openSetup, toggleScrub } from '../../store/actions';
import { useStore } from '../../store/store';
import { useFrames } from '../charts/useFrames';
import { Icon } from '../icons';

/** In the place of the run's controls: the recording over its steps. */
export function ReplayKeys() {
  const playing = useStore((s) => s.scrubbing);
  const setup = useStore((s) => s.setupOpen);
  const { frames } = useFrames();
  const still = frames.length < 2;
  const label = playing ? 'Stop' : 'Play recording';
  return (
    <div className="keys">
      <button
        type="button"
        className="btn primary"
        aria-label={label}
        title={still ? 'There is one spectrum only, the last' : `${label} (Space)`}
        disabled={still}
        onClick={toggleScrub}
      >
        <Icon name={playing ? 'pause' : 'play'} />
        <span>{playing ? 'Stop' : 'Play'}</span>
      </button>
      <button
        type="button"
        className="btn line only-s hide-m setup"
        aria-expanded={setup}
        aria-controls="experiment"
        onClick={() => openSetup(!setup)}
      >
        <Icon name="setup" />
        Setup
      </button>
    </div>
  );
}
