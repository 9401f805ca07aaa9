import { lazy, Suspense, useState } from 'react';
import type { CompareTab } from '../../store/compare/store';
import { usePart } from '../controls/LockedField';
import { Icon } from '../icons';

const ShareCompareDialog = lazy(() => import('./ShareCompareDialog'));

/** Hands on what is compared: A and B, or the set-up of the grid. */
export function ShareCompare({ tab }: { tab: CompareTab }) {
  const [open, setOpen] = useState(false);
  if (!usePart('share')) return null;
  return (
    <>
      <button
        type="button"
        className="btn"
        aria-label="Share"
        title={tab === 'ab' ? 'A link to A and B' : 'A link to this grid'}
        onClick={() => setOpen(true)}
      >
        <Icon name="share" />
        <span className="hide-m">Share</span>
      </button>
      {open && (
        <Suspense fallback={null}>
          <ShareCompareDialog tab={tab} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
