import { useEffect, useState } from 'react';
import type { CheckpointInfo } from '../../protocol/checkpoint';
import type { Experiment } from '../../protocol/experiment';
import { techniqueName } from '../../protocol/settings';
import { attempt, cancelTensors, declineOffer, discard, resume, undoDiscard } from '../../store/actions';
import { useStore } from '../../store/store';
import { Meter } from '../controls/Meter';
import { experimentName } from '../datasets';
import { ago, megabytes, whole } from '../format';
import { Icon } from '../icons';

/** "AdamQ3R, ViT-Nano/8 on Shapes" */
export const runName = (experiment: Experiment): string => `${techniqueName(experiment)}, ${experimentName(experiment)}`;

/** The time, once a minute. */
export function useMinute(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** What concerns kept runs: one to go on with, one just discarded, one on its way in. */
export function KeptNotes() {
  const offered = useStore((s) => s.kept.find((info) => info.key === s.offered));
  const discarded = useStore((s) => s.discarded);
  const loading = useStore((s) => s.loadingTensors !== null);
  if (loading) return <LoadingNote />;
  return (
    <>
      {offered && <Offer info={offered} />}
      {discarded && (
        <div className="note info" role="status">
          <Icon name="info" />
          <p>Discarded the run of {runName(discarded.experiment)}.</p>
          <button type="button" className="btn line sm" onClick={undoDiscard}>
            Undo
          </button>
        </div>
      )}
    </>
  );
}

function Offer({ info }: { info: CheckpointInfo }) {
  const now = useMinute();
  const ready = useStore((s) => s.device !== null);
  const { experiment, step, key, date } = info;
  const finished = step >= experiment.train.steps;
  return (
    <section className="note info kept-offer" aria-label="A run of an earlier visit">
      <Icon name="info" />
      <p>
        Run of {runName(experiment)} {finished ? 'finished' : 'stopped'} at step {whole(step)}, {ago(now - date)}.
      </p>
      <span className="acts">
        <button type="button" className="btn primary sm" disabled={!ready} onClick={() => attempt(resume(key))}>
          {finished ? 'Open' : 'Resume'}
        </button>
        <button type="button" className="btn line sm" onClick={() => discard(key)}>
          Discard
        </button>
        <button
          type="button"
          className="btn icon"
          aria-label="Not now"
          title="Not now; it stays in the menu Weights"
          onClick={declineOffer}
        >
          <Icon name="close" />
        </button>
      </span>
    </section>
  );
}

function LoadingNote() {
  const loading = useStore((s) => s.loadingTensors);
  if (!loading) return null;
  const { what, bytes, totalBytes, cancel } = loading;
  return (
    <div className="note info kept-loading" role="status" aria-busy="true">
      <Icon name="info" />
      <div>
        <p>
          Loading {what}
          {bytes > 0 && `: ${megabytes(bytes)}${totalBytes > 0 ? ` of ${megabytes(totalBytes)}` : ''} MB`}
        </p>
        {totalBytes > 0 && <Meter label={`Loading ${what}`} share={bytes / totalBytes} />}
      </div>
      {cancel && (
        <button type="button" className="btn line sm" onClick={() => attempt(cancelTensors())}>
          Cancel
        </button>
      )}
    </div>
  );
}
