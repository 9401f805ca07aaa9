import { useState } from 'react';
import { undoDeleteRuns } from '../../store/actions';
import { useStore } from '../../store/store';
import { plural } from '../format';
import { Icon } from '../icons';

/** What concerns the table: runs just deleted, and a browser that stores none. */
export function RunNotes() {
  const deleted = useStore((s) => s.runsDeleted);
  const unstored = useStore((s) => s.runsUnstored);
  const [read, setRead] = useState<string | null>(null);
  return (
    <>
      {deleted.length > 0 && (
        <div className="note info" role="status">
          <Icon name="info" />
          <p>{deleted.length === 1 ? `Deleted “${deleted[0]!.name}”.` : `Deleted ${plural(deleted.length, 'run')}.`}</p>
          <button type="button" className="btn line sm" onClick={undoDeleteRuns}>
            Undo
          </button>
        </div>
      )}
      {unstored !== null && unstored !== read && (
        <div className="note warn" role="alert">
          <Icon name="warn" />
          <p>
            {unstored}. Nothing is lost now: runs stay in the table until this page is closed. Download their run files to keep them, or
            delete old runs.
          </p>
          <button type="button" className="btn icon" aria-label="Dismiss" onClick={() => setRead(unstored)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </>
  );
}
