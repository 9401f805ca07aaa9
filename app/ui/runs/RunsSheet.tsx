import { useEffect, useRef, useState } from 'react';
import { attempt, deleteRuns, differRuns, importRunFiles, openRuns, saveRunFile, undoDeleteRuns } from '../../store/actions';
import { saveCsv } from '../../store/files';
import { MAX_BYTES, MAX_GRID_RUNS, MAX_RUNS } from '../../store/runs';
import { useStore } from '../../store/store';
import { FileButton } from '../controls/FileButton';
import { bytes, plural, text } from '../format';
import { Icon } from '../icons';
import { toBlobs } from './RunsDrawer';
import { RunsTable } from './RunsTable';
import { csvOf } from './tableRows';
import { useRunRows } from './useRunRows';

/** The table of runs over the whole page: filter, choose several, delete, CSV. */
export function RunsSheet() {
  const sheet = useRef<HTMLDialogElement>(null);
  const [filter, setFilter] = useState('');
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const rows = useRunRows(filter);
  const count = useStore((s) => s.runs.length);
  const size = useStore((s) => s.runs.reduce((sum, run) => sum + run.bytes, 0));
  const unstored = useStore((s) => s.runsUnstored);
  const deleted = useStore((s) => s.runsDeleted);
  useEffect(() => {
    if (!sheet.current?.open) sheet.current?.showModal();
  }, []);
  const chosen = rows.filter(({ id }) => picked.has(id)).map(({ id }) => id);
  const choose = (ids: readonly string[], on: boolean) =>
    setPicked((before) => {
      const next = new Set(before);
      for (const id of ids)
        if (on) next.add(id);
        else next.delete(id);
      return next;
    });
  const csv = () => saveCsv(`\ufeff${csvOf(chosen.length > 0 ? rows.filter(({ id }) => picked.has(id)) : rows)}`, 'runs.csv');
  return (
    <dialog ref={sheet} className="sheet runs-sheet" aria-labelledby="runs-title" onClose={() => openRuns(false)}>
      <div className="sheet-h">
        <h2 id="runs-title">Runs</h2>
        <button type="button" className="btn icon" aria-label="Close" onClick={() => sheet.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <div className="acts">
        <input
          className="val runs-filter"
          type="search"
          placeholder="Filter: name, method, data, device"
          aria-label="Filter runs"
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
        <span className="grow" />
        <button
          type="button"
          className="btn line sm"
          disabled={chosen.length !== 2}
          title="Choose two runs"
          onClick={() => differRuns([chosen[0]!, chosen[1]!])}
        >
          Difference
        </button>
        <button type="button" className="btn line sm" disabled={chosen.length === 0} onClick={() => deleteRuns(chosen)}>
          {chosen.length === 0 ? 'Delete' : `Delete ${plural(chosen.length, 'run')}`}
        </button>
        <button
          type="button"
          className="btn line sm"
          disabled={chosen.length === 0}
          onClick={() => chosen.forEach((id) => attempt(saveRunFile(id)))}
        >
          Run files
        </button>
        <button type="button" className="btn line sm" disabled={rows.length === 0} onClick={csv}>
          CSV
        </button>
        <FileButton className="btn line sm" accept=".json" multiple onFiles={(files) => attempt(importRunFiles(toBlobs(files)))}>
          Import run files
        </FileButton>
      </div>
      {deleted.length > 0 && (
        <p className="runs-undo" role="status">
          {plural(deleted.length, 'run')} deleted.
          <button type="button" className="link" onClick={undoDeleteRuns}>
            Undo
          </button>
        </p>
      )}
      <div className="sheet-scroll" role="region" aria-label="Runs" tabIndex={0}>
        {rows.length > 0 ? (
          <RunsTable rows={rows} large unfold={filter.trim() !== ''} chosen={picked} onChoose={choose} />
        ) : (
          <p className="why">{count === 0 ? 'No runs are kept.' : `None of ${plural(count, 'run')} holds “${filter.trim()}”.`}</p>
        )}
      </div>
      <p className="lab">
        {unstored ? `${unstored}: some runs are kept until this page is closed; download their run files to keep them. ` : ''}
        {plural(count, 'run')}, {text(bytes(size))} in this browser. At most {MAX_RUNS} runs, {MAX_GRID_RUNS} of grids, and{' '}
        {text(bytes(MAX_BYTES))} are kept; beyond that the oldest that are not pinned go. Weights are kept apart, in the menu Weights.
      </p>
    </dialog>
  );
}
