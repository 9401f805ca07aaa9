import { lazy, type ReactNode } from 'react';
import { openSetup } from '../store/actions';
import { useStore } from '../store/store';
import { FormulaPanel } from './charts/FormulaPanel';
import { MatrixInspector } from './charts/MatrixInspector';
import { RunCharts } from './charts/RunCharts';
import { SpectrumWall } from './charts/SpectrumWall';
import { TruncationPanel } from './charts/TruncationPanel';
import { usePart } from './controls/LockedField';
import { experimentName } from './datasets';
import { InTurn } from './InTurn';
import { ExperimentRail } from './panels/ExperimentRail';
import { Notices } from './panels/Notices';
import { Tabs } from './panels/Tabs';
import { TopBar } from './panels/TopBar';
import { Transport } from './panels/Transport';
import { EmbedScreen } from './replay/EmbedScreen';
import { ReplayStrip } from './replay/ReplayStrip';
import { Boundary } from './states/Boundary';
import { CoverPanel, type Cover } from './states/CoverPanel';
import { Refused } from './states/Refused';
import { WhatNow } from './states/WhatNow';

// What few visits open comes when it is opened.
const SeeModel = lazy(() => import('./see/SeeModel').then(({ SeeModel: view }) => ({ default: view })));
const Roofline = lazy(() => import('./roofline/Roofline').then(({ Roofline: view }) => ({ default: view })));
const RunsDrawer = lazy(() => import('./runs/RunsDrawer'));

function Stage({ cover, children }: { cover: Cover; children?: ReactNode }) {
  const curves = usePart('curves');
  const seeing = useStore((s) => s.seeOpen);
  const roofline = useStore((s) => s.rooflineOpen);
  return (
    <section className="stage" aria-label="Run on screen">
      <div className="stage-notes">
        <ReplayStrip />
        <Notices />
        <Refused />
        {!cover && <WhatNow />}
      </div>
      {cover ? (
        <div className="cover">
          <CoverPanel cover={cover} />
        </div>
      ) : roofline ? (
        <Boundary>
          <Roofline />
        </Boundary>
      ) : seeing ? (
        <Boundary>
          <SeeModel />
        </Boundary>
      ) : (
        <>
          <SpectrumWall />
          {curves && (
            <Boundary>
              <InTurn>
                <RunCharts />
              </InTurn>
            </Boundary>
          )}
        </>
      )}
      {children}
    </section>
  );
}

/** The run in a frame of another page. */
export const Embedded = ({ cover }: { cover: Cover }) => (
  <EmbedScreen>
    <Stage cover={cover} />
  </EmbedScreen>
);

/** The run with everything around it. */
export function MainScreen({ cover }: { cover: Cover }) {
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
          <Boundary fallback={<div className="runs-drawer" />}>
            <RunsDrawer />
          </Boundary>
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
