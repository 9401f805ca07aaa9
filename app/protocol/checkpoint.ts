import type { Experiment } from './experiment';

/** A run that the browser keeps, as it was at one step. */
export interface CheckpointInfo {
  /** For `resume` and `deleteCheckpoint`. */
  readonly key: string;
  /** The run it belongs to; its `latest` and `best` differ in their key only. */
  readonly run: string;
  /** The newest state, or that of the highest validation accuracy. */
  readonly kind: 'latest' | 'best';
  readonly experiment: Experiment;
  readonly step: number;
  /** Last validation up to that step, a share in [0, 1]; null before the first. */
  readonly accuracy: number | null;
  /** Loss of the last step; null at step 0. */
  readonly loss: number | null;
  /** When it was kept, milliseconds since 1970. */
  readonly date: number;
  readonly bytes: number;
  /** The run is open in another tab, and can be neither resumed nor deleted here. */
  readonly open: boolean;
}

/** What came of a file of tensors. */
export interface LoadedTensors {
  /** A run that goes on; weights of this very model; or weights around which the model was made. */
  readonly kind: 'checkpoint' | 'weights' | 'pretrained';
  /** Current in the worker from now on. */
  readonly experiment: Experiment;
  readonly step: number;
  /** What the visitor should know: what was adapted, left out, or may differ. */
  readonly notes: readonly string[];
}

/** How weights of another origin are fitted to the experiment. */
export interface PretrainedOptions {
  /** Attention heads, which no tensor shows. Where absent: as the file's metadata say, else the width / 64. */
  readonly numHeads?: number;
}

/** Commands about checkpoints and weights; part of CommandMap. */
export interface CheckpointCommands {
  /** The run as it is now, as one safetensors file. */
  saveCheckpoint: { args: Record<never, never>; reply: Uint8Array };
  /**
   * Takes over what the file holds. `experiment` is what weights are fitted to. `as` refuses anything else. The current run stays
   * until the new one is complete.
   */
  loadTensors: {
    args: { bytes: Uint8Array; experiment: Experiment; as?: 'checkpoint' | 'pretrained'; options?: PretrainedOptions };
    reply: LoadedTensors;
  };
  /** The same for a file on the web, fetched first. */
  fetchTensors: { args: { url: string; experiment: Experiment; options?: PretrainedOptions }; reply: LoadedTensors };
  cancelTensors: { args: Record<never, never>; reply: void };
  /** Runs of a model whose weights were loaded start from random weights again. */
  forgetOrigin: { args: Record<never, never>; reply: void };
  /** The runs that this browser keeps, newest first. */
  checkpoints: { args: Record<never, never>; reply: CheckpointInfo[] };
  resume: { args: { key: string }; reply: LoadedTensors };
  deleteCheckpoint: { args: { key: string }; reply: void };
}

/** Events about checkpoints and weights; part of Event. */
export type CheckpointEvent =
  | { type: 'checkpoint'; info: CheckpointInfo }
  /** `totalBytes` is 0 while unknown. */
  | { type: 'tensorProgress'; bytes: number; totalBytes: number };
