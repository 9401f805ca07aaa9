import { useState } from 'react';
import { attempt, takeUpdate } from '../../store/actions';
import { useStore } from '../../store/store';
import { Icon } from '../icons';

/** Tells of a newer version of the page. It is taken when the visitor says so, and never by itself. */
export function UpdateNote() {
  const update = useStore((s) => s.pageUpdate);
  const started = useStore((s) => s.step > 0 && (s.phase === 'running' || s.phase === 'paused'));
  const [later, setLater] = useState(false);
  const [going, setGoing] = useState(false);
  if (update === 'none' || later) return null;
  return (
    <div className="note info" role="status">
      <Icon name="info" />
      <div>
        <p>{update === 'waiting' ? 'Update ready.' : 'The page was updated in another tab; this one still runs the version before.'}</p>
        {started && <small>The run is paused and kept first; you can resume it after the reload.</small>}
      </div>
      <span className="acts">
        <button
          type="button"
          className="btn line"
          disabled={going}
          onClick={() => {
            setGoing(true);
            attempt(takeUpdate());
          }}
        >
          Reload
        </button>
        <button type="button" className="btn" onClick={() => setLater(true)}>
          Later
        </button>
      </span>
    </div>
  );
}
