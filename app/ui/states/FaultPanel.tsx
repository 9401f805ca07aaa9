import type { ReactNode } from 'react';
import type { Fault, FaultKind } from '../../protocol/messages';
import { attempt, attemptNow, openSetup, resumeAfterCrash, retry, rollback, showTab, dismissFault, play, adopt } from '../../store/actions';
import { faultReport } from '../../store/report';
import { useStore } from '../../store/store';
import { CopyButton } from '../controls/CopyButton';
import { setting, whole } from '../format';
import { Icon } from '../icons';
import { Browsers } from './Browsers';
import { Recordings } from './Recordings';
import { LossGlimpse } from '../charts/LossGlimpse';

/** Faults without which nothing can be done on the page. */
export const BLOCKING: readonly FaultKind[] = ['no-webgpu', 'no-adapter', 'no-device'];

/** What happened, what is kept, what to do. */
export function FaultPanel({ fault }: { fault: Fault }) {
  if (BLOCKING.includes(fault.kind)) return <NoGpu fault={fault} />;
  if (fault.kind === 'non-finite') return <NonFinite fault={fault} />;
  if (fault.kind === 'device-lost') return <DeviceLost fault={fault} />;
  if (fault.kind === 'out-of-memory') return <OutOfMemory fault={fault} />;
  return <Crash fault={fault} />;
}

interface FrameProps {
  readonly title: string;
  readonly note: ReactNode;
  readonly fault: Fault;
  readonly children?: ReactNode;
  readonly actions: ReactNode;
}

const Frame = ({ title, note, fault, children, actions }: FrameProps) => (
  <section className="panel fault" aria-labelledby="fault" data-fault={fault.kind}>
    <h1 id="fault">{title}</h1>
    <div className="note danger" role="alert">
      <Icon name="warn" />
      <span>{note}</span>
    </div>
    {children}
    <div className="acts">
      {actions}
      <CopyButton label="Copy report" content={() => faultReport(fault)} />
    </div>
  </section>
);

const GATES: Record<string, { title: string; help: ReactNode }> = {
  'no-webgpu': {
    title: 'This browser has no WebGPU yet',
    help: (
      <>
        Open this page in one of the browsers below. WebGPU also needs a secure address: <code>https://</code> or <code>localhost</code>.
      </>
    ),
  },
  'no-adapter': {
    title: 'This browser cannot reach the GPU yet',
    help: (
      <>
        Turn on <b>Use graphics acceleration</b> in <code>chrome://settings/system</code>, restart Chrome, then try again. On Linux this is
        usually Chrome older than 144; <code>chrome://gpu</code> says what it found.
      </>
    ),
  },
  'no-device': {
    title: 'The graphics adapter refused to open',
    help: 'Another tab may hold all of its memory, or the driver has just restarted. Close other tabs that use graphics, then try again.',
  },
};

function NoGpu({ fault }: { fault: Fault }) {
  const gate = GATES[fault.kind] ?? GATES['no-adapter']!;
  return (
    <Frame
      fault={fault}
      title={gate.title}
      note={fault.message}
      actions={
        <button type="button" className="btn primary" onClick={() => attempt(retry())}>
          Try again
        </button>
      }
    >
      <p>{gate.help}</p>
      <Recordings title="Watch a recorded run; that needs no WebGPU:" />
      <Browsers />
    </Frame>
  );
}

function NonFinite({ fault }: { fault: Fault }) {
  const running = useStore((s) => s.running);
  const lr = running?.train.lr ?? 1e-3;
  const next = fault.suggestedLr ?? lr / 10;
  const back = fault.snapshotStep;
  return (
    <div className="nf">
      <Frame
        fault={fault}
        title={`The loss stopped being a number${fault.step === undefined ? '' : ` at step ${whole(fault.step)}`}, so the run stopped`}
        note={
          <>
            {fault.tensor ? (
              <>
                First bad tensor: <code>{fault.tensor}</code>
                {fault.badCount === undefined ? '. ' : `, ${whole(fault.badCount)} values not finite, or too large to be squared. `}
              </>
            ) : (
              `${fault.message} `
            )}
            {fault.gradNorm !== undefined &&
              `The gradient norm was ${Number.isFinite(fault.gradNorm) ? Number(fault.gradNorm.toPrecision(3)) : 'not finite'}.`}
          </>
        }
        actions={
          <>
            {back !== undefined && (
              <button type="button" className="btn primary" onClick={() => attempt(rollback(next))}>
                <Icon name="reset" />
                Back to step {whole(back)} at lr {setting(next)}
              </button>
            )}
            <button type="button" className="btn line" onClick={chooseRate}>
              Choose the rate
            </button>
          </>
        }
      >
        <p>
          This is nearly always a learning rate that is too high for the model.
          {back !== undefined
            ? ` The last good snapshot is from step ${whole(back)}; nothing before it is lost.`
            : ' There is no snapshot yet, so the run starts anew.'}
        </p>
      </Frame>
      <div className="glimpse">
        <LossGlimpse />
      </div>
    </div>
  );
}

/** Shows the learning rate's box and puts the cursor there. */
function chooseRate(): void {
  openSetup(true);
  showTab('setup');
  requestAnimationFrame(() => {
    const label = [...document.querySelectorAll<HTMLLabelElement>('#experiment label')].find((l) =>
      l.textContent.startsWith('Learning rate'),
    );
    const box = label?.control;
    box?.closest('details')?.setAttribute('open', '');
    box?.focus();
    box?.scrollIntoView({ block: 'center' });
  });
}

function DeviceLost({ fault }: { fault: Fault }) {
  const recovering = useStore((s) => s.recovering);
  const back = fault.snapshotStep;
  return (
    <Frame
      fault={fault}
      title={recovering ? 'The GPU was lost; bringing the run back' : 'The GPU was lost'}
      note={fault.message}
      actions={
        recovering ? null : (
          <button type="button" className="btn primary" onClick={() => attempt(retry(true))}>
            Start again
          </button>
        )
      }
    >
      <p>
        A driver update, a laptop waking up or another program can take the graphics device away.
        {back !== undefined ? ` The snapshot of step ${whole(back)} is kept in memory.` : ''}
        {recovering
          ? ' The device is being opened anew, and training goes on from there by itself.'
          : ' It could not be opened again; the settings are kept.'}
      </p>
    </Frame>
  );
}

function OutOfMemory({ fault }: { fault: Fault }) {
  const experiment = useStore((s) => s.experiment);
  const preset = useStore((s) => s.preset);
  const refusal = useStore((s) => s.plan?.refusal);
  const half = Math.max(1, Math.floor(experiment.train.batchSize / 2));
  const next = refusal?.nearest ?? { ...experiment, train: { ...experiment.train, batchSize: half } };
  const words = refusal?.nearestText ?? `a batch of ${half} images`;
  return (
    <Frame
      fault={fault}
      title="The GPU has no memory left for this model"
      note={fault.message}
      actions={
        <>
          <button
            type="button"
            className="btn primary"
            onClick={() =>
              attemptNow(() => {
                adopt(next, preset, 'the model');
                attempt(play());
              })
            }
          >
            Use {words}
          </button>
          <button type="button" className="btn line" onClick={dismissFault}>
            Change the settings
          </button>
        </>
      }
    >
      <p>Everything that had been allocated was given back. Close other tabs that use graphics, or take a smaller model or batch.</p>
    </Frame>
  );
}

const CRASHES: Partial<Record<FaultKind, string>> = {
  'worker-crash': 'The training worker stopped unexpectedly',
  internal: 'Something in this page went wrong',
};

function Crash({ fault }: { fault: Fault }) {
  const kept = useStore((s) => s.keptHere);
  return (
    <Frame
      fault={fault}
      title={CRASHES[fault.kind] ?? 'The run stopped'}
      note={
        <>
          {fault.message} {fault.detail && <code>{fault.detail.slice(0, 300)}</code>}
        </>
      }
      actions={
        <>
          {kept && (
            <button type="button" className="btn primary" onClick={() => attempt(resumeAfterCrash(kept.key))}>
              Resume from step {whole(kept.step)}
            </button>
          )}
          <button type="button" className={kept ? 'btn line' : 'btn primary'} onClick={() => attempt(retry(true))}>
            Start again
          </button>
          <button type="button" className="btn line" onClick={() => attempt(retry())}>
            Back to the settings
          </button>
        </>
      }
    >
      <p>
        {kept
          ? `The run is kept in this browser as it was at step ${whole(kept.step)}, with its charts.`
          : 'The settings are kept, and the charts until the next run starts. The weights of the run are gone; the same seed leads to the same curve.'}
      </p>
    </Frame>
  );
}
