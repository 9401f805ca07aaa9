import { lazy, useEffect } from 'react';
import { skipFirst } from '../store/actions';
import { useStore } from '../store/store';
import { DATASET_CONFIGS } from './datasets';
import { FirstVisit } from './first/FirstVisit';
import { Mark } from './icons';
import { AskNewRun } from './panels/AskNewRun';
import { CommandDialog } from './panels/CommandDialog';
import { LessonsButton } from './panels/LessonsButton';
import { Notices } from './panels/Notices';
import { ThemeButton } from './panels/ThemeButton';
import { CoverPanel, type Cover } from './states/CoverPanel';
import { Boundary } from './states/Boundary';
import { BLOCKING } from './states/FaultPanel';
import { useFileDrop } from './useFileDrop';
import { useKeptFocus } from './useKeptFocus';
import { useKeys } from './useKeys';

// The first screen needs a third of the page; the rest comes while it is read, or when it is opened.
const mainScreen = () => import('./MainScreen');
const MainScreen = lazy(() => mainScreen().then((m) => ({ default: m.MainScreen })));
const Embedded = lazy(() => mainScreen().then((m) => ({ default: m.Embedded })));
const Lessons = lazy(() => import('./lessons/Lessons'));
const Compare = lazy(() => import('./compare/Compare'));

/** Milliseconds after the first screen at which the main screen is fetched ahead of the visitor. */
const AHEAD = 500;

/** The page. */
export function App() {
  useKeys();
  useKeptFocus();
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
      <Boundary at={screen} fallback={<main className="page" aria-busy="true" />}>
        {embed ? (
          <Embedded cover={cover} />
        ) : screen === 'first' || blocking ? (
          <FirstScreen cover={cover} />
        ) : screen === 'lesson' ? (
          <Lessons />
        ) : screen === 'compare' ? (
          <Compare />
        ) : (
          <MainScreen cover={cover} />
        )}
      </Boundary>
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

function FirstScreen({ cover }: { cover: Cover }) {
  useEffect(() => {
    const timer = setTimeout(() => void mainScreen().catch(() => undefined), AHEAD);
    return () => clearTimeout(timer);
  }, []);
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
