import erf from '../lib/erf.wgsl?raw';
import { ceilDiv, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import source from './backward.wgsl?raw';

/** Multiplies a gradient by GELU's derivative, in place, and puts GELU's output in the place of its input. */
export const geluBackward: KernelSpec = {
  name: 'gelu/backward',
  code: erf + '\n' + source,
  params: fields('u32 count'),
  bindings: [
    { name: 'pre', access: 'readwrite' },
    { name: 'grad', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

export const geluGrid = (count: number): Grid => foldGrid(ceilDiv(count, 256));
