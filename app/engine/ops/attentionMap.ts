import { attentionHeadMean, attentionMap } from '../../../kernels/attentionMap/attentionMap';
import { ceilDiv, foldGrid } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';
import type { AttentionShape } from './attention';

export interface AttentionMapArgs {
  readonly shape: AttentionShape;
  /** f32 [B, T, 3C], columns [q|k|v], each [head][headSize]. */
  readonly qkv: View;
  /** qkv is stored in half precision. */
  readonly halves?: boolean | undefined;
  /** f32 [B, heads, TQ], of the forward pass on the same qkv. */
  readonly lse: View;
  /** f32 [B, heads, T], written. */
  readonly map: View;
  /** The queries whose weights are averaged: `count` from `first` on, all below TQ. */
  readonly first: number;
  readonly count: number;
  readonly label?: string;
}

/** map = mean over the queries of softmax(q Kᵀ/√headSize), per head. @throws RangeError for queries that attention did not have */
export function recordAttentionMap(recorder: Recorder, args: AttentionMapArgs): void {
  const { shape, qkv, halves = false, lse, map, first, count, label = 'attentionMap' } = args;
  const { batch, tokens, queries, heads, headSize } = shape;
  if (first < 0 || count < 1 || first + count > queries)
    throw new RangeError(`${label}: queries ${first} to ${first + count - 1} of ${queries}`);
  recorder.dispatch(attentionMap(halves), {
    params: { batch, tokens, queries, heads, head_size: headSize, first, count, scale: 1 / Math.sqrt(headSize) },
    buffers: [qkv, lse, map],
    grid: foldGrid(ceilDiv(batch * heads * tokens, 64)),
    work: 2 * batch * heads * tokens * count * headSize,
    label,
  });
}

export interface AttentionHeadMeanArgs extends Pick<AttentionMapArgs, 'shape' | 'qkv' | 'halves' | 'lse' | 'label'> {
  /** f32 [B, TQ, T], written. */
  readonly mean: View;
}

/** mean = (1/heads) Σ over the heads of softmax(q Kᵀ/√headSize), for every query. */
export function recordAttentionHeadMean(
  recorder: Recorder,
  { shape, qkv, halves = false, lse, mean, label = 'attentionHeadMean' }: AttentionHeadMeanArgs,
): void {
  const { batch, tokens, queries, heads, headSize } = shape;
  recorder.dispatch(attentionHeadMean(halves), {
    params: { batch, tokens, queries, heads, head_size: headSize, scale: 1 / Math.sqrt(headSize) },
    buffers: [qkv, lse, mean],
    grid: foldGrid(ceilDiv(batch * queries * tokens, 64)),
    work: 2 * batch * queries * tokens * heads * headSize,
    label,
  });
}
