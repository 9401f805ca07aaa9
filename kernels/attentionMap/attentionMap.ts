import halvesLib from '../lib/halves.wgsl?raw';
import { expand, fields, type KernelSpec } from '../spec';
import mapSource from './attentionMap.wgsl?raw';
import headMean from './headMean.wgsl?raw';

/** `halves`: qkv is in half precision. */
const source = (text: string, halves: boolean): string =>
  halves
    ? halvesLib + expand(text, { TYPE: 'vec2u', UNPACK: 'unpack_halves', WIDTH: 4, SUM_A: 'dot(vec4f(1.0), ', SUM_Z: ')' })
    : expand(text, { TYPE: 'f32', UNPACK: '', WIDTH: 1, SUM_A: '', SUM_Z: '' });

/** Attention weights of chosen queries, averaged; see the header of attentionMap.wgsl. Buffers: qkv, in half precision where it says so, lse, map. */
export const attentionMap = (halves: boolean): KernelSpec => ({
  name: halves ? 'attentionMap.halves' : 'attentionMap',
  code: source(mapSource, halves),
  params: fields('u32 batch, u32 tokens, u32 queries, u32 heads, u32 head_size, u32 first, u32 count, f32 scale'),
  bindings: [
    { name: 'qkv', access: 'read' },
    { name: 'lse', access: 'read' },
    { name: 'map', access: 'readwrite' },
  ],
  constants: { WG: 64 },
});

/** Attention weights of every query, averaged over heads; see the header of headMean.wgsl. Buffers: qkv, lse, mean. */
export const attentionHeadMean = (halves: boolean): KernelSpec => ({
  name: halves ? 'attentionMap/headMean.halves' : 'attentionMap/headMean',
  code: source(headMean, halves),
  params: fields('u32 batch, u32 tokens, u32 queries, u32 heads, u32 head_size, f32 scale'),
  bindings: [
    { name: 'qkv', access: 'read' },
    { name: 'lse', access: 'read' },
    { name: 'mean', access: 'readwrite' },
  ],
  constants: { WG: 64 },
});
