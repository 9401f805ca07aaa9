import {
  attentionBackward,
  attentionBackwardKey,
  attentionBackwardQuery,
  attentionForward,
  attentionParams,
  fitsAttentionBackward,
  type AttentionBlock,
  type AttentionShape,
  type AttentionVariant,
} from '../../../kernels/attention/attention';
import { LARGE_BLOCKS } from '../../../kernels/attention/tiled';
import type { View } from '../gpu/buffers';
import type { DeviceInfo } from '../gpu/device';
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

/**
 * How the backward pass is cut: in two kernels, or in one with a workgroup for every head, which on graphics cards meets so many queries at
 * a time. More than 36 need `LARGE_BLOCKS`.
 */
export type AttentionCut = 'two' | 'one36' | 'one68';

const CUT_BLOCKS: Readonly<Record<AttentionCut, AttentionBlock | undefined>> = {
  two: undefined,
  one36: { rows: 36, columns: 68 },
  one68: { rows: 68, columns: 68, large: true },
};

/** What was measured to be fastest for attention of exactly this shape, by `attentionKey`: plain data, stored with a run. */
export interface AttentionTuning {
  readonly attention?: Readonly<Record<string, AttentionCut>>;
}

/** Name of a shape in `AttentionTuning.attention`. */
export const attentionKey = (s: AttentionShape, halves = false): string =>
  `${s.batch} ${s.tokens} ${s.queries} ${s.heads} ${s.headSize}${halves ? ' halves' : ''}`;

/** Whether the device has room for blocks larger than every device has. */
export const offersLargeBlocks = (info: DeviceInfo): boolean =>
  info.maxComputeInvocationsPerWorkgroup >= LARGE_BLOCKS.invocations && info.maxComputeWorkgroupStorageSize >= LARGE_BLOCKS.bytes;

/** The cuts worth measuring on a graphics card, that without a measurement first; where there is no choice, that alone. */
export function attentionCuts(shape: AttentionShape, halves: boolean, info: DeviceInfo): readonly AttentionCut[] {
  if (!fitsAttentionBackward(shape, 'tiled', halves)) return ['two'];
  // Blocks are made no larger than it takes: few queries are one block either way.
  return ['two', 'one36', ...(offersLargeBlocks(info) && shape.queries > 36 ? (['one68'] as const) : [])];
}

/** Registers on software adapters, whose barriers are slow; tiles elsewhere. */
function variantOf(recorder: Recorder): AttentionVariant {
  const { software, subgroups } = recorder.gpu.info;
  if (!software) return 'tiled';
  return subgroups ? 'lanes' : 'rows';
}

/** Multiply-adds of one T × T product over all heads, times two. */
const product = (s: AttentionShape): number => 2 * s.batch * s.heads * s.queries * s.tokens * s.headSize;

/** Floating-point operations: QKᵀ and PV; the backward pass recomputes QKᵀ and dO·Vᵀ in each of its kernels. */
export const attentionFlops = (s: AttentionShape, cut: AttentionCut = 'two'): { forward: number; backward: number } => ({
  forward: 2 * product(s),
  backward: (cut === 'two' ? 7 : 5) * product(s),
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
  /** By default two kernels on a graphics card, and one on a software adapter that can have it. */
  readonly cut?: AttentionCut | undefined;
}

/** dQ, dK and dV, with the attention weights recomputed: one dispatch or two, no atomics. */
export function recordAttentionBackward(recorder: Recorder, args: AttentionBackwardArgs): void {
  const { shape, qkv, out, lse, dOut, delta, dQkv, halves, block, label = 'attention' } = args;
  const variant = args.variant ?? variantOf(recorder);
  const params = attentionParams(shape);
  const { cut = variant === 'lanes' && fitsAttentionBackward(shape, variant, halves === true) ? 'one36' : 'two' } = args;
  if (cut !== 'two') {
    const { spec, grid } = attentionBackward(shape, variant, halves, CUT_BLOCKS[cut]);
    const buffers = [qkv, out, dOut, lse, dQkv];
    recorder.dispatch(spec, { params, buffers, grid, work: 5 * product(shape), label: `${label}.backward` });
    return;
  }
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
