import {
  attempt,
  checkpointOf,
  deleteRuns,
  differRuns,
  openFork,
  pinRun,
  replayRun,
  resume,
  runOnScreen,
  saveRunFile,
  showRun,
  takeSettings,
} from '../../store/actions';
import { useStore, type RunSummary } from '../../store/store';
import { Menu } from '../controls/Menu';
import { Icon } from '../icons';

/** What can be done with a run. `here`: it is on screen; `live`: as the worker's, not as a recording. */
export function RunMenu({ run, here, live }: { run: RunSummary; here: boolean; live: boolean }) {
  const { id, name } = run;
  const device = useStore((s) => s.device !== null);
  const checkpoint = useStore(() => checkpointOf(run));
  const shown = useStore((s) => s.shown.some(({ record }) => record.id === id));
  // A recording that is not kept has no figures in the table to tell a difference from.
  const other = useStore((s) => (s.runs.some(({ id }) => id === runOnScreen(s)) ? runOnScreen(s) : null));
  return (
    <Menu className="btn icon" label={`More on ${name}`} title="More" align="end" button={<Icon name="more" />}>
      {(close) => {
        const after = (action: () => unknown) => () => {
          close();
          action();
        };
        return (
          <div className="menu-list run-menu">
            {!here && (
              <button type="button" className="only-p" onClick={after(() => attempt(showRun(id, !shown)))}>
                <b>{shown ? 'Take off the charts' : 'Draw on the charts'}</b>
              </button>
            )}
            <button type="button" className="only-p" onClick={after(() => attempt(pinRun(id, !run.pinned)))}>
              <b>{run.pinned ? 'Unpin' : 'Pin'}</b>
            </button>
            <button type="button" disabled={!device} onClick={after(() => attempt(openFork(id)))}>
              <b>Same start, one change…</b>
              <span>
                {live
                  ? 'Again from step 0, with one setting changed. This run stays in the table.'
                  : 'A new run from the same weights and data order, with one setting changed.'}
              </span>
            </button>
            {!here && (
              <button type="button" onClick={after(() => attempt(replayRun(id)))}>
                <b>Open</b>
                <span>Its curves and spectra on screen, as they were recorded.</span>
              </button>
            )}
            {!live && (
              <button type="button" onClick={after(() => takeSettings(id))}>
                <b>Use these settings</b>
              </button>
            )}
            {!live && checkpoint !== undefined && (
              <button type="button" disabled={!device} onClick={after(() => attempt(resume(checkpoint)))}>
                <b>{run.phase === 'finished' ? 'Open with its weights' : 'Resume'}</b>
                <span>Its weights are kept in this browser.</span>
              </button>
            )}
            {!here && other !== null && (
              <button type="button" onClick={after(() => differRuns([other, id]))}>
                <b>Difference to the run on screen</b>
              </button>
            )}
            <button type="button" onClick={after(() => attempt(saveRunFile(id)))}>
              <b>Download run file</b>
              <span>Curves, spectra and settings, without the weights.</span>
            </button>
            <button
              type="button"
              onClick={after(() =>
                requestAnimationFrame(() =>
                  document.querySelector<HTMLElement>(`dialog[open] [data-rename="${id}"], .runs-table [data-rename="${id}"]`)?.click(),
                ),
              )}
            >
              <b>Rename</b>
            </button>
            <hr />
            <button type="button" onClick={after(() => deleteRuns([id]))}>
              <b>Delete</b>
            </button>
          </div>
        );
      }}
    </Menu>
  );
}
