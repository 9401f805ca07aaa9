import { useState } from 'react';
import { attempt, compareOpened, openCompare, recall, remember } from '../../store/actions';
import { partShown } from '../../protocol/locks';
import { useStore } from '../../store/store';
import { Icon } from '../icons';

const KEY = 'q3r.grid';

/** Offers to go on with a grid that an earlier visit left unfinished. */
export function GridNote() {
  const [left, setLeft] = useState(() => recall(KEY));
  // A frame has no Compare, nor has a page whose link hides it.
  const there = useStore((s) => !s.embed && partShown(s.locks, 'compare'));
  if (!left || !there || compareOpened()) return null;
  const [done, runs] = left.split('/');
  const open = async () => {
    const { showCompareTab } = await import('../../store/compare/store');
    showCompareTab('grid');
    await openCompare();
  };
  return (
    <div className="note info" role="status">
      <Icon name="info" />
      <div>
        <p>
          A grid of runs is unfinished: {done} of {runs} are done and kept.
        </p>
        <button type="button" className="btn line" onClick={() => attempt(open())}>
          Go on with the grid
        </button>
      </div>
      <button
        type="button"
        className="btn icon"
        aria-label="Not now"
        title="It stays under Compare, Grid"
        onClick={() => {
          remember(KEY, '');
          setLeft('');
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
