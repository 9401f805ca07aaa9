/** Kernels of the Q3R operator, batched over the matrices of a table (kernels/svd/table.ts). */
import { expand, fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import { svdCommon } from '../svd/svd';
import applySource from './apply.wgsl?raw';
import gatherSource from './gather.wgsl?raw';
import gatherTiledSource from './gatherTiled.wgsl?raw';
import projectSource from './project.wgsl?raw';
import projectTiledSource from './projectTiled.wgsl?raw';
import spreadSource from './spread.wgsl?raw';
import totalSource from './total.wgsl?raw';
import updateSource from './update.wgsl?raw';
import valueSource from './value.wgsl?raw';

const WG = { WG: 64 };

/** ε, envelope rank and judgement after a decomposition. */
export const update: KernelSpec = {
  name: 'q3r/update',
  code: `${svdCommon}\n${updateSource}`,
  params: fields('u32 count, u32 schedule, f32 n, u32 guard_flagged, u32 exact, f32 limit'),
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'sigma', access: 'read' },
    { name: 'columns', access: 'read' },
    { name: 'state', access: 'readwrite' },
  ],
};
/** B = X Rf S. */
export const project: KernelSpec = {
  name: 'q3r/project',
  code: `${svdCommon}\n${expand(projectSource, {})}`,
  params: [],
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'state', access: 'read' },
    { name: 'sigma', access: 'read' },
    { name: 'factors', access: 'read' },
    { name: 'x', access: 'read' },
    { name: 'b', access: 'readwrite' },
  ],
  constants: WG,
};
/** The same by tiles of 32 × 32, a workgroup each: for graphics cards. */
export const projectTiled: KernelSpec = {
  name: 'q3r/projectTiled',
  code: `${svdCommon}\n${expand(projectTiledSource, {})}`,
  params: [],
  bindings: project.bindings,
};
/** X M = X + B Rfᵀ. */
export const spread: KernelSpec = {
  name: 'q3r/spread',
  code: `${svdCommon}\n${expand(spreadSource, {})}`,
  params: [],
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'state', access: 'read' },
    { name: 'factors', access: 'read' },
    { name: 'b', access: 'read' },
    { name: 'x', access: 'read' },
    { name: 'xm', access: 'readwrite' },
  ],
  constants: WG,
};
/** G = S Lfᵀ X M. */
export const gather: KernelSpec = {
  name: 'q3r/gather',
  code: `${svdCommon}\n${expand(gatherSource, {})}`,
  params: [],
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'state', access: 'read' },
    { name: 'sigma', access: 'read' },
    { name: 'factors', access: 'read' },
    { name: 'xm', access: 'read' },
    { name: 'g', access: 'readwrite' },
  ],
  constants: WG,
};
/** The same by tiles of 32 × 32, a workgroup each: for graphics cards. */
export const gatherTiled: KernelSpec = {
  name: 'q3r/gatherTiled',
  code: `${svdCommon}\n${expand(gatherTiledSource, {})}`,
  params: [],
  bindings: gather.bindings,
};
/** 2 λ R(X), written or added. */
export const apply: KernelSpec = {
  name: 'q3r/apply',
  code: `${svdCommon}\n${stepStateWgsl}\n${expand(applySource, {})}`,
  params: fields('u32 add, u32 skip'),
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'state', access: 'read' },
    { name: 'step', access: 'read' },
    { name: 'factors', access: 'read' },
    { name: 'g', access: 'read' },
    { name: 'x', access: 'read' },
    { name: 'xm', access: 'readwrite' },
    { name: 'reg', access: 'readwrite' },
  ],
  constants: WG,
};
export const value: KernelSpec = {
  name: 'q3r/value',
  code: `${svdCommon}\n${stepStateWgsl}\n${valueSource}`,
  params: [],
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'step', access: 'read' },
    { name: 'xm', access: 'read' },
    { name: 'values', access: 'readwrite' },
  ],
};
export const total: KernelSpec = {
  name: 'q3r/total',
  code: totalSource,
  params: fields('u32 count'),
  bindings: [
    { name: 'values', access: 'read' },
    { name: 'total', access: 'readwrite' },
  ],
};
