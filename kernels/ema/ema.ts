import { guardWgsl } from '../gradNorm/gradNorm';
import { fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import source from './ema.wgsl?raw';

/** Moves the running average of the weights; see the header of ema.wgsl. */
export const emaUpdate: KernelSpec = {
  name: 'ema/update',
  code: `${stepStateWgsl}${guardWgsl}${source}`,
  params: fields('u32 n4'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'guard', access: 'read' },
    { name: 'weights', access: 'read' },
    { name: 'average', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};
