import { create } from 'zustand';
import type { Experiment } from '../../protocol/experiment';
import { NOT_COMPARED, type Parting } from './parting';
import type { AppState } from '../store';
import { initialState } from '../store';
import type { RunEvaluation, SpectraFrame } from '../../protocol/run/record';

export type SideName = 'a' | 'b';
export const SIDES = ['a', 'b'] as const;

/** What an experiment was taken from: "The settings", a kept run. */
export interface Origin {
  readonly name: string;
  /** As it was then; a side may have moved on from it. */
  readonly experiment: Experiment;
}

/** One side of the comparison, as far as it is drawn. */
export interface Side {
  /** What it will run, or runs. Always valid. */
  readonly experiment: Experiment;
  /** Null before anything was chosen. */
  readonly origin: Origin | null;
  /** What its worker told. */
  readonly state: AppState;
  readonly evaluations: readonly RunEvaluation[];
  /** Its spectra over the steps, thinned. */
  readonly frames: readonly SpectraFrame[];
}

/** Of A and of B. */
export type Origins = readonly [Origin | null, Origin | null];

export type AbPhase = 'setup' | 'preparing' | 'running' | 'paused' | 'finished' | 'failed';

export interface AbState {
  a: Side;
  b: Side;
  phase: AbPhase;
  /** What stopped it, or why a command failed. */
  problem: string | null;
  /** Where the exact losses of both part. */
  parting: Parting;
  /** Milliseconds of one step of both together; null before it is known. */
  msPerPair: number | null;
  /** The truncation curves of both are being measured. */
  measuring: boolean;
  /** A change that would start both over, waiting for the visitor's answer. */
  ask: { readonly a: Experiment; readonly b: Experiment; readonly what: string; readonly origins: Origins } | null;
  /** The step looked at; null for the newest. */
  look: number | null;
  /** Share of the parameters at the slider. */
  keep: number;
  /** Name of the matrix marked on both walls. */
  selected: string;
  hovered: string | null;
}

const side = (experiment: Experiment, origin: Origin | null): Side => ({
  experiment,
  origin,
  state: initialState(),
  evaluations: [],
  frames: [],
});

export const abState = (a: Experiment, b: Experiment, origins: Origins = [null, null]): AbState => ({
  a: side(a, origins[0]),
  b: side(b, origins[1]),
  phase: 'setup',
  problem: null,
  parting: NOT_COMPARED,
  msPerPair: null,
  measuring: false,
  ask: null,
  look: null,
  keep: 0.2,
  selected: '',
  hovered: null,
});

/** The comparison of two runs. Changed by `ab.ts` only. */
export const useAb = create<AbState>()(() => abState(initialState().experiment, initialState().experiment));
