import type { CSSProperties } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { attempt } from '../../store/actions';
import { playAb, resetAb, stepOf, toggleAb } from '../../store/compare/ab';
import { useAb } from '../../store/compare/abStore';
import { useStore } from '../../store/store';
import { bytes, duration, epochs, text, whole } from '../format';
import { Icon } from '../icons';

/** Play, pause, one step, reset, and how far both are. */
export function AbBar() {
  const { a, b, phase, ms } = useAb(useShallow((s) => ({ a: s.a, b: s.b, phase: s.phase, ms: s.msPerPair })));
  const device = useStore((s) => s.device?.name);
  const running = phase === 'running';
  const preparing = phase === 'preparing';
  const label = preparing ? 'Cancel' : running ? 'Pause' : phase === 'finished' ? 'Run again' : phase === 'failed' ? 'Start again' : 'Play';
  const step = stepOf({ a, b });
  const total = Math.max(a.experiment.train.steps, b.experiment.train.steps);
  // Within a turn one is a little ahead; only a run that has ended leaves the other alone.
  const uneven = a.experiment.train.steps !== b.experiment.train.steps && a.state.step !== b.state.step;
  const both = Math.min(a.state.step, b.state.step);
  const perEpoch = a.state.plan?.stepsPerEpoch;
  const memory = a.state.liveBytes + b.state.liveBytes;
  const rate = ms === null ? NaN : (1000 * a.experiment.train.batchSize) / ms;
  const stage = [a, b].flatMap((side) => side.state.stages).find((s) => s.state === 'active');
  return (
    <section className="transport" aria-label="Controls of both">
      <div className="keys">
        <button type="button" className="btn primary" aria-label={label} title={`${label} (Space)`} onClick={() => attempt(toggleAb())}>
          <Icon name={preparing ? 'close' : running ? 'pause' : 'play'} />
          <span>{label}</span>
        </button>
        <button
          type="button"
          className="btn icon"
          aria-label="One step"
          title="One step of both (.)"
          disabled={running || preparing || phase === 'finished'}
          onClick={() => attempt(playAb(1))}
        >
          <Icon name="step" />
        </button>
        <button
          type="button"
          className="btn icon"
          aria-label="Reset"
          title="Both back to step 0, same weights (R)"
          disabled={preparing || step === 0}
          onClick={() => attempt(resetAb())}
        >
          <Icon name="reset" />
        </button>
      </div>
      <div
        className="prog"
        role="progressbar"
        aria-label="Progress of both runs"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={step}
        style={{ '--p': Math.min(1, step / Math.max(1, total)) } as CSSProperties}
      >
        <div className="fig">
          <span className="lab">{uneven ? 'Step, A and B' : 'Step, both'}</span>
          <span className="v">
            <span data-testid="pair-step">{uneven ? `${whole(a.state.step)}, ${whole(b.state.step)}` : whole(both)}</span>{' '}
            <small>/ {whole(total)}</small>
          </span>
        </div>
        {preparing && stage ? (
          <div className="fig">
            <span className="lab">Preparing</span>
            <span className="v name">{stage.label}</span>
          </div>
        ) : (
          perEpoch !== undefined && (
            <div className="fig hide-m">
              <span className="lab">Epoch</span>
              <span className="v">
                {(step / perEpoch).toFixed(total / perEpoch < 10 ? 2 : 1)} <small>/ {epochs(total / perEpoch)}</small>
              </span>
            </div>
          )
        )}
        <div className="fig hide-m">
          <span className="lab">Left</span>
          <span className="v">{ms === null || step === 0 || step >= total ? '–' : duration(((total - step) * ms) / 1000)}</span>
        </div>
        <span className="grow" />
        <div className="fig r hide-m">
          <span className="lab">Images / s, each</span>
          <span className="v">{Number.isFinite(rate) ? whole(rate) : '–'}</span>
        </div>
        <div className="fig r">
          <span className="lab">ms / pair</span>
          <span className="v">{ms === null ? '–' : ms < 100 ? ms.toFixed(1) : whole(ms)}</span>
        </div>
      </div>
      <div className="gpu hide-m">
        <div className="fig">
          <span className="lab">GPU</span>
          <span className="v name">{device ?? '–'}</span>
        </div>
        <div className="fig r" title="Live GPU buffers of both">
          <span className="lab">Memory, both</span>
          <span className="v name">{memory ? text(bytes(memory)) : '–'}</span>
        </div>
      </div>
    </section>
  );
}

/** Keys of the pair, as of the run on screen. */
export const AB_KEYS = {
  Space: () => attempt(toggleAb()),
  '.': () => {
    const { phase } = useAb.getState();
    if (['setup', 'paused'].includes(phase)) attempt(playAb(1));
  },
  r: () => attempt(resetAb()),
};
