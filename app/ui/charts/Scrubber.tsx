import { useEffect, useRef, type ChangeEvent, type KeyboardEvent } from 'react';
import { pauseScrub, playScrub, scrubBy, scrubToStart, setScrub } from '../../store/actions';
import { getState, useStore } from '../../store/store';
import { Icon } from '../icons';
import { axisName, stepAt, stepShare, type XScale } from './axis';
import { useFrames } from './useFrames';

/** Parts of the slider: finer than any screen. */
const PARTS = 10_000;

interface ScrubberProps {
  x: XScale;
  left: number;
  width: number;
  /** The newest step. */
  newest: number;
}

/**
 * Looks back over the run's spectra: wall, inspector and figures stand where the slider does. It moves without a rendering, so that
 * a playback costs no more than the pictures it changes. One line through all charts ends in its thumb.
 */
export function Scrubber({ x, left, width, newest }: ScrubberProps) {
  const input = useRef<HTMLInputElement>(null);
  const line = useRef<HTMLDivElement>(null);
  const { frames } = useFrames();
  const playing = useStore((s) => s.scrubbing);
  const enough = frames.length > 1;

  useEffect(() => {
    const place = () => {
      const slider = input.current;
      if (!slider || !line.current) return;
      const { scrub } = getState();
      const step = scrub ?? newest;
      const at = Math.min(1, Math.max(0, stepShare(x, step)));
      const inside = stepShare(x, step) >= -1e-6 && stepShare(x, step) <= 1 + 1e-6;
      slider.value = String(Math.round(at * PARTS));
      slider.style.setProperty('--p', String(at));
      slider.style.setProperty('--edge', String(Math.min(1, Math.max(0, stepShare(x, newest)))));
      const shown = scrub === null ? newest : (frames.at(scrub)?.step ?? scrub);
      slider.setAttribute('aria-valuetext', `${axisName('step', shown)} of ${newest}${scrub === null ? ', the newest' : ''}`);
      line.current.hidden = !inside;
      line.current.style.transform = `translateX(${Math.round(left + at * (width - left))}px)`;
    };
    place();
    return useStore.subscribe((state, before) => {
      if (state.scrub !== before.scrub) place();
    });
  }, [x, left, width, newest, frames]);

  const onChange = (event: ChangeEvent<HTMLInputElement>) => {
    const step = stepAt(x, Number(event.target.value) / PARTS);
    const end = frames.all().at(-1)?.step ?? 0;
    setScrub(step >= Math.max(end, newest) ? null : Math.max(1, Math.round(step)));
    // Beyond the newest there is nothing: the thumb goes back to it.
    if (getState().scrub === null) event.target.value = String(Math.round(Math.min(1, stepShare(x, newest)) * PARTS));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10 }[event.key];
    if (by !== undefined) scrubBy(by);
    else if (event.key === 'Home') scrubToStart();
    else if (event.key === 'End') setScrub(null);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div ref={line} className="chart-scrub-line" aria-hidden="true" />
      <div className="chart-scrub">
        <button
          type="button"
          className="chart-btn icon"
          aria-label={playing ? 'Pause the playback of the spectra' : 'Play the spectra back'}
          title={playing ? 'Pause' : 'Play the spectra of the run from its start, or from where the slider stands'}
          disabled={!enough}
          onClick={() => (playing ? pauseScrub() : playScrub())}
        >
          <Icon name={playing ? 'pause' : 'play'} />
        </button>
        <input
          ref={input}
          type="range"
          min={0}
          max={PARTS}
          defaultValue={PARTS}
          disabled={!enough}
          aria-label="Look back at the spectra of step"
          onChange={onChange}
          onKeyDown={onKeyDown}
        />
      </div>
    </>
  );
}

/** Whether the newest spectra are shown; from earlier ones it leads back to them. */
export function LiveButton() {
  const live = useStore((s) => s.scrub === null);
  const running = useStore((s) => s.phase === 'running');
  return (
    <button
      type="button"
      className="chart-btn chart-live"
      aria-pressed={live}
      title={live ? 'The newest spectra are shown' : 'Back to the newest spectra'}
      onClick={() => setScrub(null)}
    >
      <i />
      {running ? 'Live' : 'Newest'}
    </button>
  );
}
