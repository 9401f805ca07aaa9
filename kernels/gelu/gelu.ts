import erf from '../lib/erf.wgsl?raw';
import halvesLib from '../lib/halves.wgsl?raw';
import { ceilDiv, expand, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import source from './backward.wgsl?raw';

const build = (halves: boolean): KernelSpec => ({
  name: halves ? 'gelu/backward.halves' : 'gelu/backward',
  code: `${erf}\n${halves ? halvesLib : ''}${expand(source, { HALVES: halves ? 1 : 0, PLAIN: halves ? 0 : 1, TYPE: halves ? 'vec2u' : 'f32' })}`,
  params: fields('u32 count'),
  bindings: [
    { name: 'pre', access: 'readwrite' },
    { name: 'grad', access: 'readwrite' },
  ],
  constants: { WG: 64 },
});
const KERNELS = { f32: build(false), halves: build(true) };

/** Multiplies a gradient by GELU's derivative, in place, and puts GELU's output in the place of its input. */
export const geluBackward = (halves: boolean): KernelSpec => (halves ? KERNELS.halves : KERNELS.f32);

export const geluGrid = (count: number): Grid => foldGrid(ceilDiv(count, 256));
