import { useState, type CSSProperties } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { lossScaleAt } from '../../protocol/lossScale';
import {
  attempt,
  blockedBecause,
  newSeed,
  openRoofline,
  openSetup,
  reset,
  runN,
  saveWeights,
  stepOnce,
  togglePlay,
} from '../../store/actions';
import { useStore } from '../../store/store';
import { usePart, useStanding } from '../controls/LockedField';
import { Menu } from '../controls/Menu';
import { bytes, day, duration, epochs, parseNumber, text, whole } from '../format';
import { Icon } from '../icons';
import { ReplayKeys } from '../replay/ReplayKeys';
import { useStepsPerEpoch } from './TrainingGroup';

/** Run controls, progress, speed. */
export function Transport() {
  const replay = useStore((s) => s.replay !== null);
  return (
    <section className="transport" aria-label="Run">
      {replay ? <ReplayKeys /> : <Keys />}
      <Progress />
      {replay ? <RecordedOn /> : <DeviceFigures />}
    </section>
  );
}

function Keys() {
  const phase = useStore((s) => s.phase);
  const starting = useStore((s) => s.starting);
  const blocked = useStore(() => blockedBecause());
  const started = useStore((s) => s.running !== null);
  const setup = useStore((s) => s.setupOpen);
  const steps = usePart('transport');
  const running = phase === 'running';
  const label = starting ? 'Cancel' : running ? 'Pause' : phase === 'finished' ? 'Run again' : 'Play';
  return (
    <div className="keys">
      <button
        type="button"
        className="btn primary"
        title={blocked && !running ? blocked : `${label} (Space)`}
        aria-label={label}
        disabled={blocked !== undefined && !running && !starting}
        onClick={() => attempt(togglePlay())}
      >
        <Icon name={starting ? 'close' : running ? 'pause' : 'play'} />
        <span>{label}</span>
      </button>
      {steps && (
        <>
          <button
            type="button"
            className="btn icon"
            title="One step (.)"
            aria-label="One step"
            disabled={blocked !== undefined || running || starting}
            onClick={() => attempt(stepOnce())}
          >
            <Icon name="step" />
          </button>
          <button
            type="button"
            className="btn icon"
            title="Back to step 0, same weights (R)"
            aria-label="Reset"
            disabled={!started || starting}
            onClick={() => attempt(reset())}
          >
            <Icon name="reset" />
          </button>
          <MoreMenu disabled={blocked !== undefined || starting} running={running} />
        </>
      )}
      <button
        type="button"
        className="btn line only-s hide-m setup"
        aria-expanded={setup}
        aria-controls="experiment"
        onClick={() => openSetup(!setup)}
      >
        <Icon name="setup" />
        Setup
      </button>
    </div>
  );
}

function MoreMenu({ disabled, running }: { disabled: boolean; running: boolean }) {
  const [typed, setTyped] = useState('100');
  const perEpoch = useStepsPerEpoch();
  const seed = useStanding('train.seed');
  const weights = usePart('weights');
  const started = useStore((s) => s.running !== null);
  const n = parseNumber(typed);
  const good = Number.isInteger(n) && n >= 1;
  return (
    <Menu className="btn icon" label="More run controls" title="Run n steps, new seed" disabled={disabled} button={<Icon name="more" />}>
      {(close) => {
        const go = (steps: number) => {
          close();
          attempt(runN(steps));
        };
        return (
          <div className="menu-list">
            <form
              className="run-n"
              onSubmit={(event) => {
                event.preventDefault();
                if (good) go(n);
              }}
            >
              <label>
                Run
                <input
                  className="val"
                  inputMode="numeric"
                  value={typed}
                  aria-invalid={!good}
                  onChange={(event) => setTyped(event.currentTarget.value)}
                  data-autofocus
                />
                steps
              </label>
              <button type="submit" className="btn line sm" disabled={!good || running}>
                Run
              </button>
              {!good && <p className="why bad">A whole number of at least 1.</p>}
            </form>
            <button type="button" disabled={running} onClick={() => go(perEpoch)}>
              <b>Run one epoch</b>
              <span>{running ? 'Pause first.' : `${whole(perEpoch)} steps, then pause.`}</span>
            </button>
            {seed === 'free' && (
              <>
                <hr />
                <button
                  type="button"
                  onClick={() => {
                    close();
                    attempt(newSeed());
                  }}
                >
                  <b>
                    New seed <kbd>N</kbd>
                  </b>
                  <span>Back to step 0 with other weights and another order.</span>
                </button>
              </>
            )}
            <hr />
            <button
              type="button"
              onClick={() => {
                close();
                openRoofline(true);
              }}
            >
              <b>Roofline of this device</b>
              <span>Where each kernel of a step stands against peak and bandwidth.</span>
            </button>
            {weights && <hr className="only-p" />}
            {weights && (
              <button
                type="button"
                className="only-p"
                disabled={!started}
                onClick={() => {
                  close();
                  attempt(saveWeights());
                }}
              >
                <b>Save weights</b>
                <span>{started ? 'A safetensors file with timm’s names.' : 'There are none before a run starts.'}</span>
              </button>
            )}
          </div>
        );
      }}
    </Menu>
  );
}

function Progress() {
  const { step, totalSteps, elapsedMs, epoch, planned, ms } = useStore(
    useShallow((s) => ({
      step: s.step,
      totalSteps: s.totalSteps,
      elapsedMs: s.elapsedMs,
      epoch: s.latest?.epoch,
      planned: s.experiment.train.steps,
      ms: s.timing?.msPerStep ?? null,
    })),
  );
  const timing = useStore((s) => s.timing);
  const perEpoch = useStepsPerEpoch();
  const total = totalSteps || planned;
  const length = total / perEpoch;
  const digits = length < 10 ? 2 : 1;
  const left = ms === null || step === 0 || step >= total ? null : (Math.max(0, total - step) * ms) / 1000;
  return (
    <div
      className="prog"
      role="progressbar"
      aria-label="Progress of the run"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={step}
      style={{ '--p': Math.min(1, step / Math.max(1, total)) } as CSSProperties}
    >
      <div className="fig">
        <span className="lab">Step</span>
        <span className="v">
          <span data-testid="step">{whole(step)}</span> <small className="hide-m">/ {whole(total)}</small>
        </span>
      </div>
      <div className="fig hide-xxs">
        <span className="lab">Epoch</span>
        <span className="v">
          {(step === 0 ? 0 : (epoch ?? step / perEpoch)).toFixed(digits)} <small className="hide-s hide-xs">/ {epochs(length)}</small>
        </span>
      </div>
      <div className="fig hide-m only-xl">
        <span className="lab">Elapsed</span>
        <span className="v">{step === 0 ? '–' : duration(elapsedMs / 1000)}</span>
      </div>
      <div className="fig hide-m">
        <span className="lab">Left</span>
        <span className="v">{duration(left)}</span>
      </div>
      <span className="grow hide-m" />
      <div className="fig r">
        <span className="lab">Images / s</span>
        <span className="v">{timing ? whole(timing.imagesPerSecond) : '–'}</span>
      </div>
      <div className="fig r hide-m">
        <span className="lab">ms / step</span>
        <span className="v">{timing ? figure(timing.msPerStep) : '–'}</span>
      </div>
      <LossScale />
      <Split />
    </div>
  );
}

/** What the loss of the next step of a mixed run is multiplied by. */
function LossScale() {
  const scale = useStore((s) => (s.running ? lossScaleAt(s.running.train, s.marks, s.step + 1) : undefined));
  if (scale === undefined) return null;
  return (
    <div className="fig r only-l" title="Mixed precision multiplies the loss by this for the backward pass">
      <span className="lab">Loss scale</span>
      <span className="v">{whole(scale)}</span>
    </div>
  );
}

const figure = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms < 1000 ? ms.toFixed(1) : ms.toFixed(0));
const PARTS = [
  ['forward', 'fwd', 'var(--time-fwd)'],
  ['backward', 'bwd', 'var(--time-bwd)'],
  ['optimizer', 'opt', 'var(--time-opt)'],
  ['q3r', 'Q3R', 'var(--time-q3r)'],
] as const;

/** Where a step spends its time. */
function Split() {
  const split = useStore((s) => s.timing?.split ?? null);
  if (!split) return null;
  const short = (ms: number) => (ms < 1 ? ms.toFixed(1) : ms.toFixed(0));
  const words = PARTS.map(([key, name]) => `${name} ${short(split[key])} ms`).join(', ');
  return (
    <div className="only-l" role="img" aria-label={`Where a step spends its time: ${words}`} title={words}>
      <div className="split">
        {PARTS.map(([key, , colour]) => (
          <i key={key} style={{ '--w': Math.max(split[key], 1e-3), '--c': colour } as CSSProperties} />
        ))}
      </div>
      <div className="splitlab">
        {PARTS.map(([key, name]) => (
          <span key={key} className={key}>
            {name} {short(split[key])}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Where a recording was made. */
function RecordedOn() {
  const replay = useStore((s) => s.replay);
  return (
    replay && (
      <div className="gpu hide-m">
        <div className="fig" title={replay.device}>
          <span className="lab">Recorded on</span>
          <span className="v name">{replay.device}</span>
        </div>
        <div className="fig r">
          <span className="lab">Date</span>
          <span className="v name">{day(replay.date)}</span>
        </div>
      </div>
    )
  );
}

function DeviceFigures() {
  const device = useStore((s) => s.device);
  const fault = useStore((s) => s.fault !== null);
  const live = useStore((s) => s.liveBytes);
  const planned = useStore((s) => s.plan?.bytes.total ?? 0);
  const memory = live || planned;
  const open = useStore((s) => s.rooflineOpen);
  const about =
    device && [`${Math.round(device.gflops)} GFLOP/s measured`, `kernel ${device.matmulVariant}`, ...device.features].join(', ');
  return (
    <div className="gpu hide-m">
      <button
        type="button"
        className="fig device"
        title={about ? `${about}. Where each kernel stands against this device` : undefined}
        aria-pressed={open}
        disabled={!device}
        onClick={() => openRoofline(!open)}
      >
        <span className="lab">GPU</span>
        <span className="v name">{device?.name ?? (fault ? 'none' : 'measuring…')}</span>
      </button>
      <div className="fig r" title={live ? 'Live GPU buffers' : 'What the run will need'}>
        <span className="lab">Memory</span>
        <span className="v name">{memory ? text(bytes(memory)) : '–'}</span>
      </div>
    </div>
  );
}
