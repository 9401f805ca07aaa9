import { lazy, Suspense, type ReactNode } from 'react';
import { openSetup, skipFirst } from '../store/actions';
import { useStore } from '../store/store';
import { FormulaPanel } from './charts/FormulaPanel';
import { MatrixInspector } from './charts/MatrixInspector';
import { RunCharts } from './charts/RunCharts';
import { SpectrumWall } from './charts/SpectrumWall';
import { TruncationPanel } from './charts/TruncationPanel';
import { usePart } from './controls/LockedField';
import { DATASET_CONFIGS, experimentName } from './datasets';
import { FirstVisit } from './first/FirstVisit';
import { Mark } from './icons';
import { AskNewRun } from './panels/AskNewRun';
import { CommandDialog } from './panels/CommandDialog';
import { ExperimentRail } from './panels/ExperimentRail';
import { LessonsButton } from './panels/LessonsButton';
import { Notices } from './panels/Notices';
import { Tabs } from './panels/Tabs';
import { ThemeButton, TopBar } from './panels/TopBar';
import { Transport } from './panels/Transport';
import { EmbedScreen } from './replay/EmbedScreen';
import { LoadingReplay } from './replay/LoadingReplay';
import { ReplayStrip } from './replay/ReplayStrip';
import { Downloading } from './states/Downloading';
import { BLOCKING, FaultPanel } from './states/FaultPanel';
import { Preparing } from './states/Preparing';
import { Refused } from './states/Refused';
import { InTurn } from './InTurn';
import { useFileDrop } from './useFileDrop';
import { useKeys } from './useKeys';

// Comes with the first lesson; nobody else waits for it.
const Lessons = lazy(() => import('./lessons/Lessons'));
// What few visits open comes when it is opened.
const SeeModel = lazy(() => import('./see/SeeModel').then(({ SeeModel: view }) => ({ default: view })));
const Compare = lazy(() => import('./compare/Compare'));
const RunsDrawer = lazy(() => import('./runs/RunsDrawer'));

/** What stands in place of the stage: a fault, a load, a preparation. */
type Cover = 'fault' | 'load' | 'prepare' | 'replay' | null;

/** The page. */
export function App() {
  useKeys();
  const dropping = useFileDrop();
  const seeing = useStore((s) => s.seeOpen);
  const screen = useStore((s) => s.screen);
  const embed = useStore((s) => s.embed);
  const blocking = useStore((s) => s.fault !== null && !s.replay && !s.replayLoading && BLOCKING.includes(s.fault.kind));
  const cover = useStore((s): Cover => {
    // A recording needs no device.
    if (s.replayLoading) return 'replay';
    if (s.replay) return null;
    if (s.fault) return 'fault';
    const idle = s.phase !== 'running' && s.phase !== 'paused';
    if (s.dataProgress && !DATASET_CONFIGS[s.dataProgress.name].synthetic && (s.starting || (idle && s.screen === 'first'))) return 'load';
    return (s.starting && s.phase !== 'running') || s.phase === 'preparing' ? 'prepare' : null;
  });
  return (
    <>
      {embed ? (
        <EmbedScreen>
          <Stage cover={cover} />
        </EmbedScreen>
      ) : screen === 'first' || blocking ? (
        <FirstScreen cover={cover} />
      ) : screen === 'lesson' ? (
        <Suspense fallback={<main className="page" aria-busy="true" />}>
          <Lessons />
        </Suspense>
      ) : screen === 'compare' ? (
        <Suspense fallback={<main className="page" aria-busy="true" />}>
          <Compare />
        </Suspense>
      ) : (
        <MainScreen cover={cover} />
      )}
      <AskNewRun />
      <CommandDialog />
      {dropping && (
        <div className="drop" aria-hidden="true">
          <p>
            Drop to load{' '}
            <small>
              {seeing && 'a picture to show to the model, '}a folder or .zip of images, files of CIFAR-10, CIFAR-100 or MNIST, .parquet,
              .safetensors weights, or .json run files
            </small>
          </p>
        </div>
      )}
    </>
  );
}

function CoverPanel({ cover }: { cover: Exclude<Cover, null> }) {
  const fault = useStore((s) => s.fault);
  if (cover === 'fault') return fault && <FaultPanel fault={fault} />;
  if (cover === 'replay') return <LoadingReplay />;
  return cover === 'load' ? <Downloading /> : <Preparing />;
}

function FirstScreen({ cover }: { cover: Cover }) {
  return (
    <div className="app-first">
      <header className="top">
        <span className="brand">
          <Mark />
          <span>Q3R Playground</span>
        </span>
        <span className="grow" />
        {cover !== 'fault' && <LessonsButton phone />}
        {cover !== 'fault' && (
          <button type="button" className="btn" onClick={skipFirst}>
            All settings
          </button>
        )}
        <ThemeButton />
      </header>
      <Notices />
      {cover ? (
        <main className="page">
          <CoverPanel cover={cover} />
        </main>
      ) : (
        <FirstVisit />
      )}
    </div>
  );
}

function Stage({ cover, children }: { cover: Cover; children?: ReactNode }) {
  const curves = usePart('curves');
  const seeing = useStore((s) => s.seeOpen);
  return (
    <section className="stage" aria-label="Run on screen">
      <div className="stage-notes">
        <ReplayStrip />
        <Notices />
        <Refused />
      </div>
      {cover ? (
        <div className="cover">
          <CoverPanel cover={cover} />
        </div>
      ) : seeing ? (
        <Suspense>
          <SeeModel />
        </Suspense>
      ) : (
        <>
          <SpectrumWall />
          {curves && (
            <InTurn>
              <RunCharts />
            </InTurn>
          )}
        </>
      )}
      {children}
    </section>
  );
}

function MainScreen({ cover }: { cover: Cover }) {
  const tab = useStore((s) => s.tab);
  const setup = useStore((s) => s.setupOpen);
  const name = useStore((s) => experimentName(s.running ?? s.experiment));
  const [matrix, truncation, formula] = [usePart('matrix'), usePart('truncation'), usePart('formula')];
  return (
    <div className="app" data-show={tab} data-setup={setup || undefined}>
      <TopBar />
      <Transport />
      <main className="panes">
        {!cover && <h1 className="sr">{name}</h1>}
        <ExperimentRail />
        {setup && <div className="scrim" onClick={() => openSetup(false)} />}
        <Stage cover={cover}>
          <Suspense fallback={<div className="runs-drawer" />}>
            <RunsDrawer />
          </Suspense>
        </Stage>
        <div className="right rail">
          {matrix && (
            <InTurn>
              <MatrixInspector />
            </InTurn>
          )}
          {truncation && (
            <InTurn>
              <TruncationPanel />
            </InTurn>
          )}
          {formula && (
            <InTurn>
              <FormulaPanel />
            </InTurn>
          )}
        </div>
      </main>
      <Tabs />
    </div>
  );
}
