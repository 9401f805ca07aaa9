import { lazy, Suspense, useState } from 'react';
import { anyLocks } from '../../protocol/locks';
import { attempt, measureCurve, openCompare, openFork, openLessons, readEnd, showTab } from '../../store/actions';
import { accuracyCutOf } from '../../store/runs';
import { useStore } from '../../store/store';
import { usePart } from '../controls/LockedField';
import { whole } from '../format';
import { Icon } from '../icons';

const ShareDialog = lazy(() => import('../share/ShareDialog'));

const percent = (share: number): string => `${(100 * share).toFixed(1)}\u2009%`;

/** What a run that has ended came to, and the ways on from there; nothing in a recording, and after it was put away. */
export function WhatNow() {
  const ended = useStore((s) => s.phase === 'finished' && !s.replay && !s.embed && !s.seeOpen && s.step > 0 && s.endRead !== s.runId);
  return ended ? <Ended /> : null;
}

function Ended() {
  const evaluation = useStore((s) => s.evaluation);
  const cut = useStore((s) => accuracyCutOf(s.curves));
  return (
    <section className="what-now" aria-label="The run has finished">
      <Icon name="check" />
      <p>
        <b>{evaluation ? `Finished: ${percent(evaluation.accuracy)} of ${whole(evaluation.count)} test images` : 'Finished'}</b>
        {cut !== null && <span>{percent(cut)} with a fifth of the parameters</span>}
      </p>
      <Ways />
      <button type="button" className="btn icon sm" aria-label="Put away" title="Put away" onClick={readEnd}>
        <Icon name="close" />
      </button>
    </section>
  );
}

function Ways() {
  const [sharing, setSharing] = useState(false);
  const measured = useStore((s) => s.curves.fraction !== undefined || s.measuring !== null);
  const here = useStore((s) => s.runHere);
  const locked = useStore((s) => anyLocks(s.locks));
  // A projector shows no rails, and the panel is in one.
  const rails = useStore((s) => !s.projector);
  const [truncation, compare, share] = [usePart('truncation'), usePart('compare'), usePart('share')];
  return (
    <span className="acts">
      {truncation && rails && (
        <button
          type="button"
          className="btn line sm"
          title="How much of the accuracy is left when only the largest singular values are kept"
          onClick={() => toTruncation(measured)}
        >
          Cut the tail
        </button>
      )}
      {here !== null && !locked && (
        <button
          type="button"
          className="btn line sm hide-m"
          title="The same initial weights and data order, one setting changed"
          onClick={() => attempt(openFork(here))}
        >
          Change one thing
        </button>
      )}
      {compare && (
        <button
          type="button"
          className="btn line sm"
          title="This run and another on the same batches"
          onClick={() => attempt(openCompare())}
        >
          Compare
        </button>
      )}
      {share && (
        <button type="button" className="btn line sm" title="A link with these curves and spectra" onClick={() => setSharing(true)}>
          Share
        </button>
      )}
      {!locked && (
        <button type="button" className="btn line sm" title="Guess, run, look" onClick={() => openLessons()}>
          Lessons
        </button>
      )}
      {sharing && (
        <Suspense fallback={null}>
          <ShareDialog part="results" onClose={() => setSharing(false)} />
        </Suspense>
      )}
    </span>
  );
}

/** Shows the panel that truncates, with the cursor in it; measures where nothing is measured yet. */
function toTruncation(measured: boolean): void {
  showTab('matrix');
  if (!measured) attempt(measureCurve());
  requestAnimationFrame(() => {
    const panel = document.querySelector('.chart-cut');
    panel?.scrollIntoView({ block: 'center' });
    panel?.querySelector<HTMLElement>('input[type="range"], button')?.focus();
  });
}
