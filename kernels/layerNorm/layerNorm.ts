import { ceilDiv, expand, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import affine from './backwardAffine.wgsl?raw';
import backward from './backwardInput.wgsl?raw';
import finish from './finishAffine.wgsl?raw';
import forward from './forward.wgsl?raw';

/** `rows`: one thread per row, no barriers. `lanes`: 32 threads share a row and reduce in workgroup memory. */
export type LayerNormVariant = 'rows' | 'lanes';

const SHAPE = {
  rows: { LANES: 1, ROWS: 32, TREE: 0, SERIAL: 1 },
  lanes: { LANES: 32, ROWS: 2, TREE: 1, SERIAL: 0 },
} as const satisfies Record<LayerNormVariant, Record<string, number>>;

const build = (variant: LayerNormVariant) => ({
  forward: {
    name: `layerNorm/forward.${variant}`,
    code: expand(forward, SHAPE[variant]),
    params: fields('u32 rows, u32 cols, f32 epsilon'),
    bindings: [
      { name: 'x', access: 'read' },
      { name: 'gamma', access: 'read' },
      { name: 'beta', access: 'read' },
      { name: 'y', access: 'readwrite' },
      { name: 'stats', access: 'readwrite' },
    ],
  } satisfies KernelSpec,
  backwardInput: {
    name: `layerNorm/backwardInput.${variant}`,
    code: expand(backward, SHAPE[variant]),
    params: fields('u32 rows, u32 cols, u32 accumulate'),
    bindings: [
      { name: 'dy', access: 'read' },
      { name: 'x', access: 'read' },
      { name: 'stats', access: 'read' },
      { name: 'gamma', access: 'read' },
      { name: 'dx', access: 'readwrite' },
    ],
  } satisfies KernelSpec,
});

/** The kernels that work row by row, in both variants. */
export const layerNorm: Readonly<Record<LayerNormVariant, Readonly<{ forward: KernelSpec; backwardInput: KernelSpec }>>> = {
  rows: build('rows'),
  lanes: build('lanes'),
};

/** First stage of dGamma and dBeta; see the header of backwardAffine.wgsl. */
export const layerNormAffine: KernelSpec = {
  name: 'layerNorm/backwardAffine',
  code: affine,
  params: fields('u32 rows, u32 cols, u32 chunk'),
  bindings: [
    { name: 'dy', access: 'read' },
    { name: 'x', access: 'read' },
    { name: 'stats', access: 'read' },
    { name: 'partials', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

/** Second stage of dGamma and dBeta. */
export const layerNormFinish: KernelSpec = {
  name: 'layerNorm/finishAffine',
  code: finish,
  params: fields('u32 chunks, u32 cols'),
  bindings: [
    { name: 'partials', access: 'read' },
    { name: 'd_gamma', access: 'readwrite' },
    { name: 'd_beta', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

/** Workgroups for the row kernels. */
export const layerNormGrid = (variant: LayerNormVariant, rows: number): Grid => foldGrid(ceilDiv(rows, SHAPE[variant].ROWS));
