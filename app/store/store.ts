import { create } from 'zustand';
import { dataSlice, type DataSlice } from './slices/data';
import { deviceSlice, type DeviceSlice } from './slices/device';
import { formSlice, type FormSlice } from './slices/form';
import { keptSlice, type KeptSlice } from './slices/kept';
import { replaySlice, type ReplaySlice } from './slices/replay';
import { offlineSlice, type OfflineSlice } from './slices/offline';
import { rooflineSlice, type RooflineSlice } from './slices/roofline';
import { runSlice, type RunSlice } from './slices/run';
import { seeSlice, type SeeSlice } from './slices/see';
import { runsSlice, type RunsSlice } from './slices/runs';
import { shownSlice, type ShownSlice } from './slices/shown';
import { timelineSlice, type TimelineSlice } from './slices/timeline';
import { cutViewSlice, truncationSlice, type CutViewSlice, type TruncationSlice } from './slices/truncation';
import { viewSlice, type ViewSlice } from './slices/view';

export type { DataProgress, Samples } from './slices/data';
export type { Baseline, Evaluation, Spectra } from './slices/run';
export type { CutCurve, CutCurves } from './slices/truncation';
export type { SeeSource, SeeTab } from './slices/see';
export type { Replay } from './slices/replay';
export type { RunColumn, RunGrid, RunSummary } from './slices/runs';
export type { ShownRun } from './slices/shown';
export type { Axis } from './slices/timeline';
export type { Notice, Tab } from './slices/view';

/** Everything the page shows. Changed by `events.ts` (worker) and `actions/` (visitor) only. */
export type AppState = DeviceSlice &
  FormSlice &
  RunSlice &
  DataSlice &
  KeptSlice &
  ViewSlice &
  TruncationSlice &
  CutViewSlice &
  SeeSlice &
  RooflineSlice &
  OfflineSlice &
  ShownSlice &
  RunsSlice &
  TimelineSlice &
  ReplaySlice;

export const initialState = (): AppState => ({
  ...deviceSlice(),
  ...formSlice(),
  ...runSlice(),
  ...dataSlice(),
  ...keptSlice(),
  ...viewSlice(),
  ...truncationSlice(),
  ...cutViewSlice(),
  ...seeSlice(),
  ...rooflineSlice(),
  ...offlineSlice(),
  ...shownSlice(),
  ...runsSlice(),
  ...timelineSlice(),
  ...replaySlice(),
});

/**
 * The store as a hook: `useStore((s) => s.step)`. A selector must return something stable between changes: a field, or a
 * primitive made of fields; wrap it in zustand's `useShallow` when it builds an object.
 */
export const useStore = create<AppState>()(() => initialState());

export const getState = (): AppState => useStore.getState();
export const setState = (patch: Partial<AppState> | ((state: AppState) => Partial<AppState>)): void => useStore.setState(patch);
