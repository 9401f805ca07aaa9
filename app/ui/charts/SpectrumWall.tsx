import { attempt, hover, play, select, setWallView } from '../../store/actions';
import { frames } from '../../store/frames';
import { useStore, type AppState } from '../../store/store';
import { SaveMenu } from './SaveMenu';
import { SpectrumWallView } from './SpectrumWallView';
import { useViewedSpectra, viewedSpectra, watchViewedSpectra } from './viewed';

/** Milliseconds of training after which the newest spectra say from which step they are; a slow device has new ones seldom. */
const OLD_MS = 5000;
/** The run has gone on for a while since its newest spectra. */
const areOld = ({ spectra, replay, step, timing }: AppState): boolean =>
  spectra !== null && replay === null && (step - spectra.step) * (timing?.msPerStep ?? 0) > OLD_MS;

const now = () => viewedSpectra()?.matrices ?? null;

/** The wall of the run on screen, where the scrubber stands or the cursor of the charts points. */
export function SpectrumWall() {
  const spectra = useViewedSpectra();
  const newest = useStore((s) => s.spectra);
  const old = useStore(areOld);
  const baseline = useStore((s) => s.baseline);
  const view = useStore((s) => s.wallView);
  const selected = useStore((s) => s.selected);
  const hovered = useStore((s) => s.hovered);
  return (
    <SpectrumWallView
      matrices={spectra?.matrices ?? null}
      now={now}
      watch={watchViewedSpectra}
      largest={frames.largest}
      step={spectra && newest && (old || spectra.step !== newest.step) ? spectra.step : null}
      tools={spectra && <SaveMenu title="Save the wall" what={['wall']} />}
      baseline={baseline}
      view={view}
      selected={selected}
      hovered={hovered}
      onSelect={select}
      onHover={hover}
      onView={setWallView}
      empty={<Empty />}
    />
  );
}

function Empty() {
  const busy = useStore((s) => s.starting || s.phase === 'running' || s.phase === 'preparing');
  const ready = useStore((s) => s.device !== null && !s.planError && !s.plan?.refusal);
  return (
    <>
      <p>
        {busy ? 'The first spectra are on their way.' : 'The singular values of every weight matrix appear here while the model trains.'}
      </p>
      {!busy && (
        <button type="button" className="chart-btn primary" disabled={!ready} onClick={() => attempt(play())}>
          Play
        </button>
      )}
    </>
  );
}
