import type { CheckpointInfo } from '../../protocol/checkpoint';

/** A checkpoint or weights on their way into the worker. */
export interface LoadingTensors {
  /** "vit-tiny.safetensors", or the address's host. */
  readonly what: string;
  /** Both 0 while nothing is known; from the web only. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Whether it can be called off. */
  readonly cancel: boolean;
}

/** Runs that this browser keeps from visit to visit. */
export interface KeptSlice {
  /** Newest first. */
  kept: readonly CheckpointInfo[];
  /** The newest state of the run on screen that is stored; null before the first. */
  keptHere: CheckpointInfo | null;
  /** Key of the run that the page offers to go on with. */
  offered: string | null;
  /** Removed by the visitor a moment ago; gone for good when the time for Undo is over. */
  discarded: CheckpointInfo | null;
  /** Null when nothing is being loaded. */
  loadingTensors: LoadingTensors | null;
  /** Weights that new runs of their model start from; null where runs start from random ones. */
  origin: { readonly name: string; readonly model: string } | null;
}

export const keptSlice = (): KeptSlice => ({
  kept: [],
  keptHere: null,
  offered: null,
  discarded: null,
  loadingTensors: null,
  origin: null,
});

/** The list with a newer state in the place of the older one of the same key. */
export const withKept = (kept: readonly CheckpointInfo[], info: CheckpointInfo): CheckpointInfo[] => [
  info,
  ...kept.filter((other) => other.key !== info.key),
];
