import { fields, type KernelSpec } from '../spec';
import source from './attentionMap.wgsl?raw';

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
