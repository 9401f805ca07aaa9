import { ceilDiv, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import assembleSource from './assemble.wgsl?raw';
import backwardSource from './backward.wgsl?raw';
import classRowsSource from './classRows.wgsl?raw';
import meanRowsSource from './meanRows.wgsl?raw';
import patchesSource from './patches.wgsl?raw';

const WG = 64;

/** Cuts images into rows of pixels, one row per token. */
export const patches: KernelSpec = {
  name: 'patchEmbed/patches',
  code: patchesSource,
  params: fields('u32 runs, u32 tokens, u32 side, u32 extent, u32 channels'),
  bindings: [
    { name: 'images', access: 'read' },
    { name: 'output', access: 'readwrite' },
  ],
  constants: { WG },
};

/** Adds class token and position embedding, in place. */
export const assemble: KernelSpec = {
  name: 'patchEmbed/assemble',
  code: assembleSource,
  params: fields('u32 batch, u32 tokens, u32 cols'),
  bindings: [
    { name: 'cls', access: 'read' },
    { name: 'pos', access: 'read' },
    { name: 'x', access: 'readwrite' },
  ],
  constants: { WG },
};

/** Gradients of position embedding and class token, and the per-token sums for the bias. */
export const embedBackward: KernelSpec = {
  name: 'patchEmbed/backward',
  code: backwardSource,
  params: fields('u32 batch, u32 tokens, u32 cols'),
  bindings: [
    { name: 'dx', access: 'read' },
    { name: 'd_pos', access: 'readwrite' },
    { name: 'd_cls', access: 'readwrite' },
    { name: 'token_sums', access: 'readwrite' },
  ],
  constants: { WG },
};

/** Class-token rows out of all tokens, or (SCATTER = 1) back among zeros. */
export const classRows: KernelSpec = {
  name: 'patchEmbed/classRows',
  code: classRowsSource,
  params: fields('u32 count, u32 tokens, u32 cols'),
  bindings: [
    { name: 'input', access: 'read' },
    { name: 'output', access: 'readwrite' },
  ],
  constants: { WG, SCATTER: 0 },
};

/** Mean of the patch tokens, or (SCATTER = 1) its gradient spread back over them. */
export const meanRows: KernelSpec = { ...classRows, name: 'patchEmbed/meanRows', code: meanRowsSource };

/** Workgroups of one thread per element for all kernels of this folder. */
export const elementGrid = (count: number): Grid => foldGrid(ceilDiv(count, WG));
