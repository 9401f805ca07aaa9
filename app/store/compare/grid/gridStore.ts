import { create } from 'zustand';
import type { RunRecord } from '../../../protocol/run/record';
import type { Experiment } from '../../../protocol/experiment';
import { presetExperiment } from '../../../protocol/presets';
import type { GridMetric } from './cellFigures';
import type { GridDefinition, GridText } from './definition';
import type { CellResult, KeptGrid } from './shelf';

/** The run under way, as far as it is drawn. */
export interface CurrentRun {
  readonly index: number;
  /** Done of it, 0 to 1. */
  readonly share: number;
  readonly step: number;
  readonly total: number;
  /** What is being prepared, or empty. */
  readonly stage: string;
  readonly msPerStep: number | null;
}

export interface GridState {
  /** Null while a grid is being set up. */
  definition: GridDefinition | null;
  results: readonly (CellResult | undefined)[];
  /** `stopped`: unfinished, and nothing runs; it can be gone on with. */
  phase: 'setup' | 'running' | 'paused' | 'stopped' | 'done';
  current: CurrentRun | null;
  /** The place in the map that is looked at. */
  selected: { readonly x: number; readonly y: number } | null;
  /** A run of that place, as it is kept. */
  record: RunRecord | null;
  metric: GridMetric;
  /** Share of the parameters for the metric `atShare`. */
  share: number;
  /** Bytes of live GPU buffers. */
  liveBytes: number;
  problem: string | null;
  /** Why the results will not outlast the page; null while they will. */
  notKept: string | null;
  /** Grids of this browser, newest first. */
  kept: readonly KeptGrid[];
  /** A grid removed a moment ago. */
  discarded: KeptGrid | null;
  /** What the runs of a grid to come share: the settings, a link's experiment, or a preset by its key. */
  source: string;
  /** The experiment of the link that set a grid up. */
  linked: Experiment | null;
  /** What was typed for it; null while it is the suggestion. */
  draft: GridText | null;
}

/** What the runs of a grid to come share, where `form` is what the settings are. */
export const setupBase = ({ source, linked }: Pick<GridState, 'source' | 'linked'>, form: Experiment): Experiment =>
  source === 'form' ? form : source === 'link' && linked ? linked : presetExperiment(source, form.dataset);

export const gridState = (): GridState => ({
  definition: null,
  results: [],
  phase: 'setup',
  current: null,
  selected: null,
  record: null,
  metric: 'atTarget',
  share: 0.2,
  liveBytes: 0,
  problem: null,
  notKept: null,
  kept: [],
  discarded: null,
  source: 'form',
  linked: null,
  draft: null,
});

/** A grid of runs. Changed by `grid.ts` only. */
export const useGrid = create<GridState>()(gridState);
