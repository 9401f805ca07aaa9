import { guardWgsl } from '../gradNorm/gradNorm';
import { fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import source from './adamw.wgsl?raw';
import collectSource from './collect.wgsl?raw';
import momentsSource from './moments.wgsl?raw';
import moveSource from './move.wgsl?raw';

const common = `${stepStateWgsl}${guardWgsl}`;
const moments = `${common}${momentsSource}`;
const constants = { WG: 64, L2_DECAY: 0 };

/** Moments and weights at once. */
export const adamwUpdate: KernelSpec = {
  name: 'adamw/update',
  code: moments + source,
  params: fields('u32 n4'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'guard', access: 'read' },
    { name: 'grads', access: 'read' },
    { name: 'params', access: 'readwrite' },
    { name: 'm', access: 'readwrite' },
    { name: 'v', access: 'readwrite' },
  ],
  constants,
};
/** Moments, and the step in the place of the gradient. */
export const adamwCollect: KernelSpec = {
  name: 'adamw/collect',
  code: moments + collectSource,
  params: fields('u32 n4'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'guard', access: 'read' },
    { name: 'params', access: 'read' },
    { name: 'grads', access: 'readwrite' },
    { name: 'm', access: 'readwrite' },
    { name: 'v', access: 'readwrite' },
  ],
  constants,
};
/** The weights by that step. */
export const adamwMove: KernelSpec = {
  name: 'adamw/move',
  code: common + moveSource,
  params: fields('u32 n4'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'guard', access: 'read' },
    { name: 'step', access: 'read' },
    { name: 'params', access: 'readwrite' },
  ],
  constants,
};
