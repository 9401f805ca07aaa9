import { fields, type KernelSpec } from '../spec';
import source from './nonFinite.wgsl?raw';

/** Counts values that are not finite, segment by segment; `counts` is added to, so that an arena can be seen in windows. */
export const nonFiniteCount: KernelSpec = {
  name: 'nonFinite/count',
  code: source,
  params: fields('u32 count, u32 first, u32 window'),
  bindings: [
    { name: 'arena', access: 'read' },
    { name: 'segments', access: 'read' },
    { name: 'counts', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};
