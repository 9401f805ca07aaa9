import { fields, type KernelSpec } from '../spec';
import source from './accumulate.wgsl?raw';
import clearSource from './clear.wgsl?raw';
import collectSource from './collect.wgsl?raw';

/** An arena before the first part. */
export const clear: KernelSpec = {
  name: 'accumulate/clear',
  code: clearSource,
  params: fields('u32 n4'),
  bindings: [{ name: 'sum', access: 'readwrite' }],
  constants: { WG: 64 },
};

/** Adds to a part of it. */
export const accumulate: KernelSpec = {
  name: 'accumulate/sum',
  code: source,
  params: fields('u32 n4'),
  bindings: [
    { name: 'x', access: 'read' },
    { name: 'sum', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

/** Puts the losses and hits of a part into those of the batch. */
export const collect: KernelSpec = {
  name: 'accumulate/collect',
  code: collectSource,
  params: fields('u32 count, u32 first'),
  bindings: [
    { name: 'losses', access: 'read' },
    { name: 'correct', access: 'read' },
    { name: 'all_losses', access: 'readwrite' },
    { name: 'all_correct', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};
