/** What a chart's horizontal axis counts. */
export type Axis = 'step' | 'epoch' | 'images' | 'seconds';

/** One axis and one place on it, for charts, wall, inspector and scrubber alike. */
export interface TimelineSlice {
  axis: Axis;
  logX: boolean;
  logY: boolean;
  /** Steps between which the charts are zoomed; null for the whole run. */
  zoom: readonly [number, number] | null;
  /** The step at which wall, inspector and figures stand; null for the newest. */
  scrub: number | null;
  /** The scrubber moves by itself. */
  scrubbing: boolean;
}

export const timelineSlice = (): TimelineSlice => ({ axis: 'step', logX: false, logY: false, zoom: null, scrub: null, scrubbing: false });
