/** Kernels of the Hoyer regularizers, batched over the matrices of a table (kernels/svd/table.ts). */
import { expand, fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import { svdCommon } from '../svd/svd';
import applySource from './apply.wgsl?raw';
import figuresSource from './figures.wgsl?raw';
import valueSource from './value.wgsl?raw';

/** Bytes of one matrix's figures: value, factor of U Vᵀ, factor of W, columns. */
export const FIGURES_BYTES = 16;

/** Value and factors of the gradient from the singular values of a refresh; `square` for the square variant. */
export const hoyerFigures: KernelSpec = {
  name: 'hoyer/figures',
  code: `${svdCommon}\n${figuresSource}`,
  params: fields('u32 count, u32 square'),
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'sigma', access: 'read' },
    { name: 'figures', access: 'readwrite' },
  ],
};
/** out += λ · gradient. */
export const hoyerApply: KernelSpec = {
  name: 'hoyer/apply',
  code: `${svdCommon}\n${stepStateWgsl}\n${expand(applySource, {})}`,
  params: [],
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'step', access: 'read' },
    { name: 'figures', access: 'read' },
    { name: 'factors', access: 'read' },
    { name: 'w', access: 'read' },
    { name: 'out', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};
/** λ · value of every matrix; q3r/total adds them up. */
export const hoyerValue: KernelSpec = {
  name: 'hoyer/value',
  code: `${svdCommon}\n${stepStateWgsl}\n${valueSource}`,
  params: fields('u32 count'),
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'step', access: 'read' },
    { name: 'figures', access: 'read' },
    { name: 'values', access: 'readwrite' },
  ],
};
