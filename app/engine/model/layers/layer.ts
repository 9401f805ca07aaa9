import { slice, type View } from '../../gpu/buffers';
import type { Recorder } from '../../gpu/recorder';
import type { AttentionShape } from '../../ops/attention';
import type { RecordLinear } from '../../ops/linear';
import { PendingSums } from '../../ops/pendingSums';
import type { GradientWindow } from '../gradientStage';
import { fuses, type VitPlan, type VitTuning } from '../memory';
import type { ParameterTable } from '../parameters';
import type { VitShape } from '../shape';

/**
 * Called in a forward pass behind the attention of each block, while its qkv [B, T, 3C], in half precision or not, and lse
 * [B, heads, TQ] still hold.
 */
export type WatchAttention = (
  recorder: Recorder,
  block: number,
  at: { shape: AttentionShape; qkv: View; lse: View; halves: boolean },
) => void;

/** What every layer is built from. */
export interface LayerContext {
  readonly plan: VitPlan;
  readonly shape: VitShape;
  readonly tuning: VitTuning;
  readonly table: ParameterTable;
  /** The activation of this name; throws when the plan has none. */
  readonly view: (name: string) => View;
  /** Records y = x Wᵀ + b in a forward pass; see `RecordLinear`. */
  readonly linear: RecordLinear;
  readonly watch: WatchAttention;
}

/** Where the sums of a backward pass wait for the end of a layer, where they do: see `fuses`. */
export const pendingSums = ({ plan, view }: LayerContext): PendingSums | undefined =>
  fuses(plan) ? new PendingSums(view('parts')) : undefined;

/** Parameters or gradients by name, as views into an arena. */
export type Arena = (name: string) => View;

/** @throws Error for a name the table does not have. */
export const arenaOf =
  (table: ParameterTable, arena: View, place = (offset: number): number => offset): Arena =>
  (name) => {
    const entry = table.byName.get(name);
    if (!entry) throw new Error(`there is no parameter ${name}`);
    return slice(arena, place(entry.offset), entry.length);
  };

/** The same for gradients on their way through a stage; see `gradientStage`. */
export const stageOf = (table: ParameterTable, windows: readonly GradientWindow[], stage: View): Arena =>
  arenaOf(table, stage, (offset) => {
    const { first, at } = windows.findLast((window) => window.first <= offset)!;
    return offset - first + at;
  });

/**
 * A part of the model with buffers of its own. The model records forward in order and backward in reverse; the
 * gradient of the residual stream passes from one to the next in the shared buffers dRows and dStream.
 */
export interface Layer {
  recordForward(recorder: Recorder, params: Arena): void;
  /**
   * Writes the gradient of each of its parameters, and the gradient of its input. `sums`: see `pendingSums`; nothing waits there at the end,
   * except what the first block leaves to the embedding.
   */
  recordBackward(recorder: Recorder, params: Arena, grads: Arena, sums: PendingSums | undefined): void;
}
