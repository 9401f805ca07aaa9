import {
  attentionBackwardKey,
  attentionBackwardQuery,
  attentionForward,
  attentionParams,
  type AttentionBlock,
  type AttentionShape,
  type AttentionVariant,
} from '../../../kernels/attention/attention';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';

export type { AttentionShape } from '../../../kernels/attention/attention';

export interface AttentionArgs {
  readonly shape: AttentionShape;
  /** f32 [B, T, 3C], columns [q|k|v], each [head][headSize]. */
  readonly qkv: View;
  /** f32 [B, TQ, C]. */
  readonly out: View;
  /** f32 [B, heads, TQ]: logarithm of each row's softmax denominator. */
  readonly lse: View;
  /** All but lse and delta is stored in half precision; the head size is a multiple of 4 then. */
  readonly halves?: boolean | undefined;
  readonly variant?: AttentionVariant;
  /** Largest blocks of the variant `tiled`. */
  readonly block?: AttentionBlock | undefined;
  readonly label?: string;
}

/** Registers on software adapters, whose barriers are slow; tiles elsewhere. */
function variantOf(recorder: Recorder): AttentionVariant {
  const { software, subgroups } = recorder.gpu.info;
  if (!software) return 'tiled';
  return subgroups ? 'lanes' : 'rows';
}

/** Multiply-adds of one T × T product over all heads, times two. */
const product = (s: AttentionShape): number => 2 * s.batch * s.heads * s.queries * s.tokens * s.headSize;

/** Floating-point operations: QKᵀ and PV; the backward pass recomputes QKᵀ and dO·Vᵀ in both of its kernels. */
export const attentionFlops = (s: AttentionShape): { forward: number; backward: number } => ({
  forward: 2 * product(s),
  backward: 7 * product(s),
});

/** out = softmax(QKᵀ/√headSize) V per head. */
export function recordAttention(recorder: Recorder, args: AttentionArgs): void {
  const { shape, qkv, out, lse, halves, block, label = 'attention' } = args;
  const { spec, grid } = attentionForward(shape, args.variant ?? variantOf(recorder), halves, block);
  recorder.dispatch(spec, { params: attentionParams(shape), buffers: [qkv, out, lse], grid, work: 2 * product(shape), label });
}

export interface AttentionBackwardArgs extends AttentionArgs {
  /** f32 [B, TQ, C]. */
  readonly dOut: View;
  /** f32 [B, heads, TQ], scratch: rowsum(dOut ∘ out). */
  readonly delta: View;
  /** f32 [B, T, 3C], written whole; a buffer of its own. */
  readonly dQkv: View;
}

/** dQ, dK and dV, with the attention weights recomputed: two dispatches, no atomics. */
export function recordAttentionBackward(recorder: Recorder, args: AttentionBackwardArgs): void {
  const { shape, qkv, out, lse, dOut, delta, dQkv, halves, block, label = 'attention' } = args;
  const variant = args.variant ?? variantOf(recorder);
  const params = attentionParams(shape);
  const query = attentionBackwardQuery(shape, variant, halves, block);
  recorder.dispatch(query.spec, {
    params,
    buffers: [qkv, out, dOut, lse, delta, dQkv],
    grid: query.grid,
    work: 3 * product(shape),
    label: `${label}.backwardQuery`,
  });
  const key = attentionBackwardKey(shape, variant, halves, block);
  recorder.dispatch(key.spec, {
    params,
    buffers: [qkv, dOut, lse, delta, dQkv],
    grid: key.grid,
    work: 4 * product(shape),
    label: `${label}.backwardKey`,
  });
}
