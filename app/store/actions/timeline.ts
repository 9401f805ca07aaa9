import { frames } from '../frames';
import type { Axis } from '../slices/timeline';
import { getState, setState } from '../store';

/** What the charts' horizontal axis counts. */
export const setAxis = (axis: Axis): void => setState({ axis });
export const setLogX = (logX: boolean): void => setState({ logX });
export const setLogY = (logY: boolean): void => setState({ logY });

/** Zooms the charts to the steps between two; a range of less than two steps is widened. */
export function setZoom(from: number, to: number): void {
  const low = Math.max(0, Math.min(from, to));
  const high = Math.max(from, to);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return;
  const middle = (low + high) / 2;
  const half = Math.max(1, (high - low) / 2);
  setState({ zoom: [Math.max(0, middle - half), Math.max(0, middle - half) + 2 * half] });
}
/** The whole run again. */
export const resetZoom = (): void => setState({ zoom: null });

/** The place that spectra and figures are looked at: the newest for null. Whoever sets it by hand ends a playback. */
export function setScrub(scrub: number | null): void {
  stopPlayback();
  if (scrub !== getState().scrub) setState({ scrub });
}

/** The frame before or after the one that is shown; after the last one, the newest. */
export function scrubBy(by: number): void {
  const all = frames.all();
  if (all.length === 0) return;
  const { scrub } = getState();
  const here = scrub === null ? all.length - 1 : all.indexOf(frames.at(scrub)!);
  const next = Math.max(0, here + by);
  setScrub(next >= all.length - 1 ? null : all[next]!.step);
}
/** The run's first frame. */
export const scrubToStart = (): void => setScrub(frames.all()[0]?.step ?? null);

/** How long the playback of a long run takes, and the fewest and most frames a second. */
const PLAY_SECONDS = 7;
const FEWEST = 6;
const MOST = 40;
/** With reduced motion nothing glides: so many stops, one after the other. */
const CALM_STOPS = 24;
const CALM_MS = 500;

let ticking = 0;
let stopWaiting = (): void => undefined;

function stopPlayback(): void {
  if (!getState().scrubbing) return;
  cancelAnimationFrame(ticking);
  stopWaiting();
  setState({ scrubbing: false });
}

/** Halts where it is. */
export const pauseScrub = (): void => stopPlayback();

/**
 * Plays the run's spectra from where the scrubber stands, or from the start when it stands at the end; within the zoom, where there is one.
 * Moves `scrub` once a screen frame; nothing is redrawn by it but what shows spectra. Ends at the newest.
 */
export function playScrub(calm: boolean = matchMedia('(prefers-reduced-motion: reduce)').matches): void {
  stopPlayback();
  const { zoom, scrub, runId } = getState();
  const steps = frames
    .all()
    .map((frame) => frame.step)
    .filter((step) => !zoom || (step >= zoom[0] && step <= zoom[1]));
  const last = steps.length - 1;
  if (last < 1) return;
  const from =
    scrub === null || scrub >= steps[last]!
      ? 0
      : Math.max(
          0,
          steps.findIndex((step) => step >= scrub),
        );
  setState({ scrubbing: true, scrub: steps[from]! });
  const end = (): void => {
    stopPlayback();
    setState({ scrub: zoom ? steps[last]! : null });
  };
  // Another run began: its frames are others.
  const gone = (): boolean => getState().runId !== runId || !getState().scrubbing;
  if (calm) {
    const stride = Math.max(1, Math.ceil(steps.length / CALM_STOPS));
    let at = from;
    const timer = setInterval(() => {
      at += stride;
      if (gone()) stopWaiting();
      else if (at >= last) end();
      else setState({ scrub: steps[at]! });
    }, CALM_MS);
    stopWaiting = () => clearInterval(timer);
    return;
  }
  const perMs = Math.min(MOST, Math.max(FEWEST, steps.length / PLAY_SECONDS)) / 1000;
  let begun = NaN;
  const tick = (now: number): void => {
    if (gone()) return;
    if (Number.isNaN(begun)) begun = now;
    const at = from + (now - begun) * perMs;
    const i = Math.floor(at);
    if (i >= last) return end();
    setState({ scrub: steps[i]! + (at - i) * (steps[i + 1]! - steps[i]!) });
    ticking = requestAnimationFrame(tick);
  };
  ticking = requestAnimationFrame(tick);
}
