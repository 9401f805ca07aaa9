import { create } from 'zustand';
import type { Experiment } from '../../protocol/experiment';
import { NOT_COMPARED, type Parting } from './parting';
import type { AppState } from '../store';
import { initialState } from '../store';
import type { RunEvaluation, SpectraFrame } from '../../protocol/run/record';

export type SideName = 'a' | 'b';
export const SIDES = ['a', 'b'] as const;

/** One side of the comparison, as far as it is drawn. */
export interface Side {
  /** What it will run, or runs. Always valid. */
  readonly experiment: Experiment;
  /** Where the experiment came from, in words. */
  readonly source: string;
  /** What its worker told. */
  readonly state: AppState;
  readonly evaluations: readonly RunEvaluation[];
  /** Its spectra over the steps, thinned. */
  readonly frames: readonly SpectraFrame[];
}

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
  ask: { readonly a: Experiment; readonly b: Experiment; readonly what: string; readonly sources: readonly [string, string] } | null;
  /** The step looked at; null for the newest. */
  look: number | null;
  /** Share of the parameters at the slider. */
  keep: number;
  /** Name of the matrix marked on both walls. */
  selected: string;
  hovered: string | null;
}

const side = (experiment: Experiment, source: string): Side => ({
  experiment,
  source,
  state: initialState(),
  evaluations: [],
  frames: [],
});

export const abState = (a: Experiment, b: Experiment, sources: readonly [string, string] = ['', '']): AbState => ({
  a: side(a, sources[0]),
  b: side(b, sources[1]),
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
