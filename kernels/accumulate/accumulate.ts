import { fields, type KernelSpec } from '../spec';
import source from './accumulate.wgsl?raw';
import collectSource from './collect.wgsl?raw';

/** Takes over an arena, or (`ADD` 1) adds it. */
export const accumulate: KernelSpec = {
  name: 'accumulate/sum',
  code: source,
  params: fields('u32 n4'),
  bindings: [
    { name: 'x', access: 'read' },
    { name: 'sum', access: 'readwrite' },
  ],
  constants: { WG: 64, ADD: 0 },
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
