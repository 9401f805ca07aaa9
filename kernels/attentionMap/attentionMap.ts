import { fields, type KernelSpec } from '../spec';
import source from './attentionMap.wgsl?raw';
import headMean from './headMean.wgsl?raw';

/** Attention weights of chosen queries, averaged; see the header of attentionMap.wgsl. Buffers: qkv, lse, map. */
export const attentionMap: KernelSpec = {
  name: 'attentionMap',
  code: source,
  params: fields('u32 batch, u32 tokens, u32 queries, u32 heads, u32 head_size, u32 first, u32 count, f32 scale'),
  bindings: [
    { name: 'qkv', access: 'read' },
    { name: 'lse', access: 'read' },
    { name: 'map', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

/** Attention weights of every query, averaged over heads; see the header of headMean.wgsl. Buffers: qkv, lse, mean. */
export const attentionHeadMean: KernelSpec = {
  name: 'attentionMap/headMean',
  code: headMean,
  params: fields('u32 batch, u32 tokens, u32 queries, u32 heads, u32 head_size, f32 scale'),
  bindings: [
    { name: 'qkv', access: 'read' },
    { name: 'lse', access: 'read' },
    { name: 'mean', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};
