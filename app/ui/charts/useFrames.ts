import { useSyncExternalStore } from 'react';
import { frames } from '../../store/frames';

const subscribe = (listener: () => void) => frames.subscribe(listener);
const version = () => frames.version;

/** Renders again when the spectra of the run on screen change; returns them. */
export function useFrames(): typeof frames {
  useSyncExternalStore(subscribe, version);
  return frames;
}
