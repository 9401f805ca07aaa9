import { attempt, blockedHere, leaveReplay, runHere } from '../../store/actions';
import { useStore, type Replay } from '../../store/store';
import { useStanding } from '../controls/LockedField';
import { day, whole } from '../format';
import { Icon } from '../icons';

/** "Recorded on Apple M2 Pro, 12 Nov 2026" */
export const madeOn = ({ from, device, date }: Replay): string =>
  `${from === 'link' ? 'Results from a link' : 'Recorded'}${from === 'link' ? ':' : ' on'} ${device}, ${day(date)}`;

/** Says that what is on screen is a recording, of what, and the ways on. */
export function ReplayStrip() {
  const replay = useStore((s) => s.replay);
  const [method, lambda] = [useStanding('method.name'), useStanding('method.lambda')];
  if (!replay) return null;
  return (
    <section className="replay" aria-label="Recording">
      <Icon name="film" />
      <p>
        <b>{madeOn(replay)}</b>
        {/* Runs are named after both. */}
        {method !== 'hidden' && lambda !== 'hidden' && <span>{replay.name}</span>}
        <What from={replay.from} />
      </p>
      <div className="acts">
        <RunHere />
        <button type="button" className="btn" onClick={leaveReplay}>
          Close
        </button>
      </div>
    </section>
  );
}

/** What a link's results lack. */
function What({ from }: { from: Replay['from'] }) {
  const points = useStore((s) => s.series?.step.length ?? 0);
  const spectra = useStore((s) => s.spectra !== null);
  if (from === 'recording') return null;
  return (
    <span>
      {whole(points)} points of the curves{spectra ? ', and the last spectra' : '; the spectra did not fit into the link'}.
    </span>
  );
}

function RunHere() {
  const why = useStore(() => blockedHere());
  return (
    <>
      <button
        type="button"
        className="btn line"
        disabled={why !== undefined}
        aria-describedby={why === undefined ? undefined : 'run-here-why'}
        title={why ?? 'The same experiment, trained on this device'}
        onClick={() => attempt(Promise.resolve().then(runHere))}
      >
        Run it here
      </button>
      {why !== undefined && (
        <small id="run-here-why" className="replay-why">
          Not on this device: {why}
        </small>
      )}
    </>
  );
}
