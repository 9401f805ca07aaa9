/** A run on screen that was made elsewhere, or before. */
export interface Replay {
  /** Id of the recorded run, by which the table of runs knows it; null for the results of a link. */
  readonly id: string | null;
  readonly name: string;
  /** Name of the graphics device that it was made on. */
  readonly device: string;
  readonly software: boolean;
  /** Begun, milliseconds since 1970. */
  readonly date: number;
  /** A whole recording, or the results that a link holds: some points of the curves and, where they fit, the last spectra. */
  readonly from: 'recording' | 'link';
  /** What `#replay=` opens it by; null for one that has no address. */
  readonly source: string | null;
}

export interface ReplaySlice {
  /** Null while the run on screen is the worker's. */
  replay: Replay | null;
  /** A recording on its way; `totalBytes` is 0 where the server does not say. */
  replayLoading: { readonly what: string; readonly bytes: number; readonly totalBytes: number } | null;
}

export const replaySlice = (): ReplaySlice => ({ replay: null, replayLoading: null });
