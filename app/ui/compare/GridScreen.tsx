import { useEffect, useState, type CSSProperties } from 'react';
import { createPortal } from 'react-dom';
import { useShallow } from 'zustand/react/shallow';
import { attempt } from '../../store/actions';
import { cellsOf, nameCell } from '../../store/compare/grid/definition';
import { dismissGridProblem, newGrid, openGrid, stopGrid, toggleGrid } from '../../store/compare/grid/grid';
import { gridCsv } from '../../store/compare/grid/gridCsv';
import { useGrid } from '../../store/compare/grid/gridStore';
import { saveCsv } from '../../store/files';
import { useStore } from '../../store/store';
import { bytes, duration, text, whole } from '../format';
import { Icon } from '../icons';
import { Notices } from '../panels/Notices';
import { CellPanel, GridFacts } from './CellPanel';
import { GridSetup } from './GridSetup';
import { secondsLeft } from './gridView';
import { HeatMap } from './HeatMap';
import { ParetoPlot } from './ParetoPlot';
import './grid.css';

/** Runs over two settings, unattended, as a map that fills. */
export default function GridScreen() {
  useEffect(() => attempt(openGrid()), []);
  const definition = useGrid((s) => s.definition);
  return (
    <>
      <GridBar />
      <main className="panes">
        <h1 className="sr">A grid of runs</h1>
        <section className="stage grid-stage" aria-label="Grid" data-setup={!definition || undefined}>
          <div className="stage-notes">
            <Notices />
            <Problem />
          </div>
          {definition ? (
            <div className="grid-pair">
              <HeatMap definition={definition} />
              <ParetoPlot definition={definition} />
            </div>
          ) : (
            <GridSetup />
          )}
        </section>
        {definition && (
          <div className="right rail">
            <CellPanel definition={definition} />
            <GridFacts definition={definition} />
          </div>
        )}
      </main>
      <GridActs />
    </>
  );
}

/** The buttons of the top bar, which stands outside of this screen. */
function GridActs() {
  const [bar, setBar] = useState<HTMLElement | null>(null);
  useEffect(() => setBar(document.getElementById('compare-acts')), []);
  const some = useGrid((s) => s.definition !== null && s.results.some(Boolean));
  if (!bar) return null;
  const saveRuns = () => {
    const { definition, results } = useGrid.getState();
    if (definition) saveCsv(gridCsv(definition, results), `q3r-grid-${new Date(definition.date).toISOString().slice(0, 10)}.csv`);
  };
  return createPortal(
    <button type="button" className="btn" aria-label="CSV" disabled={!some} title="Every run of the grid" onClick={saveRuns}>
      <Icon name="weights" />
      <span className="hide-m">CSV</span>
    </button>,
    bar,
  );
}

function GridBar() {
  const { definition, results, phase, current, live } = useGrid(
    useShallow((s) => ({ definition: s.definition, results: s.results, phase: s.phase, current: s.current, live: s.liveBytes })),
  );
  const device = useStore((s) => s.device?.name);
  const cells = definition ? cellsOf(definition) : [];
  const done = results.filter(Boolean).length;
  const cell = current ? cells[current.index] : undefined;
  const going = phase === 'running' || phase === 'paused';
  const left = definition && phase !== 'done' ? secondsLeft(definition, results, current) : null;
  const label = phase === 'running' ? 'Pause' : 'Continue';
  return (
    <section className="transport" aria-label="Controls of the grid">
      <div className="keys">
        {definition && phase !== 'done' && (
          <button type="button" className="btn primary" aria-label={label} onClick={() => attempt(Promise.resolve(toggleGrid()))}>
            <Icon name={phase === 'running' ? 'pause' : 'play'} />
            <span>{label}</span>
          </button>
        )}
        {going ? (
          <button type="button" className="btn" title="Gives the run under way up; what is done stays" onClick={stopGrid}>
            Cancel
          </button>
        ) : (
          definition && (
            <button type="button" className={phase === 'done' ? 'btn primary' : 'btn'} onClick={newGrid}>
              <Icon name="setup" />
              <span>New grid</span>
            </button>
          )
        )}
      </div>
      <div
        className="prog"
        role="progressbar"
        aria-label="Progress of the grid"
        aria-valuemin={0}
        aria-valuemax={Math.max(1, cells.length)}
        aria-valuenow={done}
        style={{ '--p': cells.length ? Math.min(1, (done + (current?.share ?? 0)) / cells.length) : 0 } as CSSProperties}
      >
        {!definition && (
          <div className="fig">
            <span className="lab">Now</span>
            <span className="v">two settings and their values</span>
          </div>
        )}
        {definition && (
          <div className="fig">
            <span className="lab">Runs done</span>
            <span className="v">
              <span data-testid="grid-done">{done}</span> <small>/ {cells.length}</small>
            </span>
          </div>
        )}
        {definition && (
          <div className="fig hide-m">
            <span className="lab">Now</span>
            <span className="v">
              {cell ? (
                <>
                  {nameCell(definition, cell.x, cell.y)}{' '}
                  <small>
                    {current!.step > 0 ? `step ${whole(current!.step)} of ${whole(current!.total)}` : current!.stage || 'preparing'}
                  </small>
                </>
              ) : (
                { done: 'all runs are done', stopped: 'unfinished', paused: 'paused', running: 'measuring', setup: '' }[phase]
              )}
            </span>
          </div>
        )}
        <span className="grow" />
        {definition && phase !== 'done' && (
          <div className="fig r">
            <span className="lab">Left</span>
            <span className="v">{duration(left)}</span>
          </div>
        )}
      </div>
      <div className="gpu hide-m">
        <div className="fig">
          <span className="lab">GPU</span>
          <span className="v name">{device ?? '–'}</span>
        </div>
        <div className="fig r" title="Live GPU buffers of the run under way">
          <span className="lab">Memory</span>
          <span className="v name">{live ? text(bytes(live)) : '–'}</span>
        </div>
      </div>
    </section>
  );
}

function Problem() {
  const { problem, phase, results } = useGrid(useShallow((s) => ({ problem: s.problem, phase: s.phase, results: s.results })));
  if (problem)
    return (
      <div className="note danger" role="alert">
        <Icon name="warn" />
        <p>The grid has stopped: {problem} What is done is kept; Continue goes on with the next run.</p>
        <button type="button" className="btn icon" aria-label="Dismiss" onClick={dismissGridProblem}>
          <Icon name="close" />
        </button>
      </div>
    );
  if (phase !== 'stopped') return null;
  return (
    <div className="note info" role="status">
      <Icon name="info" />
      <p>This grid is unfinished: {results.filter(Boolean).length} runs are done and kept. The run that was under way starts over.</p>
    </div>
  );
}
