import { lazy, Suspense, useEffect, useRef } from 'react';
import { tinykeys } from 'tinykeys';
import { attempt, showScreen } from '../../store/actions';
import { dismissProblem, endAb, keepGoing, openAb, pauseAb, startOver, abRows, stepOf } from '../../store/compare/ab';
import { abCsv } from '../../store/compare/abCsv';
import { useAb } from '../../store/compare/abStore';
import { showCompareTab, useCompare, type CompareTab } from '../../store/compare/store';
import { saveCsv } from '../../store/files';
import { Segmented } from '../controls/Segmented';
import { whole } from '../format';
import { Icon, Mark } from '../icons';
import { Notices } from '../panels/Notices';
import { ThemeButton } from '../panels/ThemeButton';
import { busy, presses } from '../useKeys';
import { AB_KEYS, AbBar } from './AbBar';
import { AbCharts } from './AbCharts';
import { AbPanel } from './AbPanel';
import { AbWalls } from './AbWalls';
import { ShareCompare } from './ShareCompare';
import './compare.css';

const GridScreen = lazy(() => import('./GridScreen'));

const TABS: readonly { value: CompareTab; label: string }[] = [
  { value: 'ab', label: 'A / B' },
  { value: 'grid', label: 'Grid' },
];

/** Several runs beside each other: two in lockstep, or a grid of them. */
export default function Compare() {
  const tab = useCompare((s) => s.tab);
  return (
    <div className="app cmp" data-tab={tab}>
      <header className="top">
        <button type="button" className="brand" onClick={leave} title="Back to the run">
          <Mark />
          <span>Q3R Playground</span>
        </button>
        <i className="bar hide-m" />
        <Segmented label="Compare" value={tab} options={TABS} onChange={showCompareTab} />
        <span className="grow" />
        <button type="button" className="btn" onClick={leave}>
          Back to the run
        </button>
        <ShareCompare tab={tab} />
        <div id="compare-acts" className="cmp-acts">
          {tab === 'ab' && <AbActs />}
        </div>
        <ThemeButton />
      </header>
      {tab === 'ab' ? (
        <AbScreen />
      ) : (
        <Suspense fallback={<main className="stage" />}>
          <GridScreen />
        </Suspense>
      )}
    </div>
  );
}

/** The pair stands as it is, to come back to; one that has made no step gives its workers and their devices back. */
function leave(): void {
  if (stepOf(useAb.getState()) === 0) endAb();
  showScreen('main');
}

function AbActs() {
  const none = useAb((s) => stepOf(s) === 0);
  return (
    <button type="button" className="btn" aria-label="CSV" disabled={none} title="Every step of both runs" onClick={saveSteps}>
      <Icon name="weights" />
      <span className="hide-m">CSV</span>
    </button>
  );
}

function saveSteps(): void {
  const { a, b } = useAb.getState();
  const rows = abRows();
  const text = abCsv({ rows: rows.a, evaluations: a.evaluations }, { rows: rows.b, evaluations: b.evaluations });
  saveCsv(text, `q3r-ab-step${stepOf({ a, b })}.csv`);
}

function AbScreen() {
  useEffect(() => {
    openAb();
    // Neither behind the grid nor behind the run on screen.
    return () => attempt(pauseAb());
  }, []);
  useEffect(() => {
    const on = (action: () => void, held: (target: EventTarget | null) => boolean) => (event: KeyboardEvent) => {
      if (event.repeat || event.defaultPrevented || held(event.target)) return;
      event.preventDefault();
      action();
    };
    return tinykeys(window, {
      Space: on(AB_KEYS.Space, (target) => busy(target) || presses(target)),
      '.': on(AB_KEYS['.'], busy),
      r: on(AB_KEYS.r, busy),
    });
  }, []);
  return (
    <>
      <AbBar />
      <main className="panes">
        <h1 className="sr">Two runs in lockstep</h1>
        <section className="stage" aria-label="Both runs">
          <div className="stage-notes">
            <Notices />
            <Problem />
          </div>
          <AbWalls />
          <AbCharts />
        </section>
        <AbPanel />
      </main>
      <Ask />
    </>
  );
}

function Problem() {
  const problem = useAb((s) => s.problem);
  if (!problem) return null;
  return (
    <div className="note danger" role="alert">
      <Icon name="warn" />
      <p>{problem}</p>
      <button type="button" className="btn icon" aria-label="Dismiss" onClick={dismissProblem}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** Asks before a change throws both runs away. */
function Ask() {
  const ask = useAb((s) => s.ask);
  const step = useAb(stepOf);
  const dialog = useRef<HTMLDialogElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (ask && !element.open) {
      element.showModal();
      keep.current?.focus();
    }
    if (!ask && element.open) element.close();
  }, [ask]);
  return (
    <dialog ref={dialog} className="sheet" aria-labelledby="cmp-ask" onClose={keepGoing}>
      <h2 id="cmp-ask">This starts both over from step 0</h2>
      <p>
        Changing {ask?.what} cannot be done while the two run. Both, now at step {whole(step)}, end and wait at step 0.
      </p>
      <div className="acts">
        <button type="button" className="btn primary" onClick={() => attempt(startOver())}>
          Start over
        </button>
        <button type="button" className="btn line" ref={keep} onClick={keepGoing}>
          Keep both
        </button>
      </div>
    </dialog>
  );
}
