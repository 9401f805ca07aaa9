import { useSyncExternalStore } from 'react';
import { frames } from '../../store/frames';

const subscribe = (listener: () => void) => frames.subscribe(listener);
const version = () => frames.version;

/** The spectra of the run on screen; renders again when they change, which `version` tells. */
export const useFrames = (): { readonly frames: typeof frames; readonly version: number } => ({
  frames,
  version: useSyncExternalStore(subscribe, version),
});
