import { useEffect, useState } from 'react';
import { frames } from '../../store/frames';
import { getState, useStore, type Spectra } from '../../store/store';
import { hoverStep, watchHoverStep } from './hoverStep';

/** The step that is looked at: under the cursor of a chart, else where the scrubber stands; null for the newest. */
export const viewedStep = (): number | null => hoverStep() ?? getState().scrub;

/** Calls `listener` when the step that is looked at changes. Returns the end of it. */
export function watchViewedStep(listener: () => void): () => void {
  let before = viewedStep();
  const check = () => {
    const now = viewedStep();
    if (now === before) return;
    before = now;
    listener();
  };
  const ends = [watchHoverStep(check), useStore.subscribe(check)];
  return () => ends.forEach((end) => end());
}

/** The spectra that are looked at: those at `viewedStep` or the last before it; null before there are any. */
export function viewedSpectra(): Spectra | null {
  const step = viewedStep();
  const { spectra } = getState();
  return (step === null ? null : frames.at(step)) ?? spectra;
}

/** Calls `listener` when other spectra are looked at. Returns the end of it. */
export function watchViewedSpectra(listener: () => void): () => void {
  let before = viewedSpectra();
  const check = () => {
    const now = viewedSpectra();
    if (now === before) return;
    before = now;
    listener();
  };
  const ends = [watchHoverStep(check), useStore.subscribe(check), frames.subscribe(check)];
  return () => ends.forEach((end) => end());
}

/** Figures that change faster cannot be read, and a playback would render all of them for each picture. */
const FIGURES_MS = 100;

/** `viewedSpectra` for text: renders again when they change, ten times a second at most. Pictures watch them themselves. */
export function useViewedSpectra(): Spectra | null {
  const [shown, setShown] = useState(viewedSpectra);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = -Infinity;
    const take = () => {
      timer = undefined;
      last = performance.now();
      setShown(viewedSpectra());
    };
    const stop = watchViewedSpectra(() => {
      timer ??= setTimeout(take, Math.max(0, last + FIGURES_MS - performance.now()));
    });
    take();
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  return shown;
}
