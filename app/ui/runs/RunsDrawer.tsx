import { lazy, Suspense } from 'react';
import { attempt, differRuns, importRunFiles, openRuns, runOnScreen } from '../../store/actions';
import { useStore } from '../../store/store';
import { FileButton } from '../controls/FileButton';
import { whole } from '../format';
import { Icon } from '../icons';
import { Recordings } from '../states/Recordings';
import { RunsTable } from './RunsTable';
import { useRunRows } from './useRunRows';
import './runs.css';
import './runsSheet.css';

const RunsSheet = lazy(() => import('./RunsSheet').then(({ RunsSheet }) => ({ default: RunsSheet })));
const DifferenceDialog = lazy(() => import('./DifferenceDialog').then(({ DifferenceDialog }) => ({ default: DifferenceDialog })));
const ForkDialog = lazy(() => import('./ForkDialog').then(({ ForkDialog }) => ({ default: ForkDialog })));

export const toBlobs = (files: readonly File[]) => files.map((blob) => ({ name: blob.name, blob }));

/** The kept runs below the charts; on a narrow screen, a pane of their own. */
export default function RunsDrawer() {
  const rows = useRunRows();
  const shown = useStore((s) => s.shown.length);
  const here = useStore(runOnScreen);
  const unstored = useStore((s) => s.runsUnstored);
  const open = useStore((s) => s.runsOpen);
  const differ = useStore((s) => s.runsDiffer);
  const fork = useStore((s) => s.runFork);
  const first = useStore((s) => s.shown[0]?.record.id);
  // The run on screen, or the first in the table, against what is drawn over it, or what follows.
  const left = rows.find(({ id }) => id === here)?.id ?? rows[0]?.id;
  const right = [first, ...rows.map(({ id }) => id)].find((id) => id !== undefined && id !== left);
  return (
    <>
      <section className="runs-drawer" aria-label="Runs">
        <div className="runs-head">
          <h2>Runs</h2>
          <span className="lab">
            {rows.length === 0
              ? 'Every run of at least one step is kept here, in this browser.'
              : `${whole(rows.length)} kept, ${whole(shown + (rows.some(({ id }) => id === here) ? 1 : 0))} shown`}
          </span>
          {unstored && (
            <span className="lab runs-unstored" title={unstored}>
              <Icon name="warn" />
              some for this visit only
            </span>
          )}
          <span className="grow" />
          <FileButton className="btn sm" accept=".json" multiple onFiles={(files) => attempt(importRunFiles(toBlobs(files)))}>
            Import
          </FileButton>
          {left !== undefined && right !== undefined && (
            <button type="button" className="btn sm hide-m" onClick={() => differRuns([left, right])}>
              Difference
            </button>
          )}
          {rows.length > 0 && (
            <button
              type="button"
              className="btn icon sm"
              aria-label="Open the table of runs large"
              title="Large table: filter, choose several, delete, CSV"
              onClick={() => openRuns(true)}
            >
              <Icon name="full" />
            </button>
          )}
        </div>
        {rows.length === 0 && (
          <div className="runs-none only-p">
            <p>Every run of at least one step is kept here, in this browser: its curves, spectra and settings, to compare and to share.</p>
            <Recordings title="Recorded runs that come with the page:" />
          </div>
        )}
        {rows.length > 0 && (
          <div className="runs-scroll" role="region" aria-label="Table of runs" tabIndex={0}>
            <RunsTable rows={rows} />
          </div>
        )}
      </section>
      <Suspense>
        {open && <RunsSheet />}
        {differ && <DifferenceDialog key={differ.join()} ids={differ} />}
        {fork && <ForkDialog />}
      </Suspense>
    </>
  );
}
