import { guardWgsl } from '../gradNorm/gradNorm';
import { fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import source from './adamw.wgsl?raw';

/** Without a regularizer's arena (`HAS_REG` 0) bind any readable buffer of 16 bytes in its place: it is not read. */
export const adamwUpdate: KernelSpec = {
  name: 'adamw/update',
  code: `${stepStateWgsl}${guardWgsl}${source}`,
  params: fields('u32 n4'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'guard', access: 'read' },
    { name: 'grads', access: 'read' },
    { name: 'reg', access: 'read' },
    { name: 'params', access: 'readwrite' },
    { name: 'm', access: 'readwrite' },
    { name: 'v', access: 'readwrite' },
  ],
  constants: { WG: 64, HAS_REG: 0, L2_DECAY: 0 },
};
