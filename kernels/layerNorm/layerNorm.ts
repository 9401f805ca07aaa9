import halvesLib from '../lib/halves.wgsl?raw';
import { ceilDiv, expand, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import again from './again.wgsl?raw';
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

/** Four columns at a time: where a thread has a row to itself, and rows are whole vec4s; of halves always. */
const isWide = (variant: LayerNormVariant, cols: number, halves: boolean): boolean => halves || (variant === 'rows' && cols % 4 === 0);
const WIDE = { TYPE: 'vec4f', WIDTH: 4, SUM_A: 'dot(vec4f(1.0), ', SUM_Z: ')' } as const;
const NARROW = { TYPE: 'f32', WIDTH: 1, SUM_A: '', SUM_Z: '' } as const;
const PACKED = { STORED: 'vec2u', PACK: 'pack_halves', UNPACK: 'unpack_halves' } as const;

function build(variant: LayerNormVariant, wide: boolean, halves = false) {
  const size = wide ? WIDE : NARROW;
  const values = { ...SHAPE[variant], ...size, ...(halves ? PACKED : { STORED: size.TYPE, PACK: '', UNPACK: '' }) };
  const kind = halves ? '.halves' : '';
  const name = `${variant}${wide ? '4' : ''}${kind}`;
  const source = (text: string): string => (halves ? halvesLib : '') + expand(text, values);
  return {
    forward: {
      name: `layerNorm/forward.${name}`,
      code: source(forward),
      params: fields('u32 rows, u32 cols, f32 epsilon'),
      bindings: [
        { name: 'x', access: 'read' },
        { name: 'gamma', access: 'read' },
        { name: 'beta', access: 'read' },
        { name: 'y', access: 'readwrite' },
        { name: 'stats', access: 'readwrite' },
      ],
    },
    again: {
      name: `layerNorm/again.${name}`,
      code: source(again),
      params: fields('u32 rows, u32 cols'),
      bindings: [
        { name: 'x', access: 'read' },
        { name: 'gamma', access: 'read' },
        { name: 'beta', access: 'read' },
        { name: 'stats', access: 'read' },
        { name: 'y', access: 'readwrite' },
      ],
    },
    backwardInput: {
      name: `layerNorm/backwardInput.${name}`,
      code: source(backward),
      params: fields('u32 rows, u32 cols, u32 accumulate'),
      bindings: [
        { name: 'dy', access: 'read' },
        { name: 'x', access: 'read' },
        { name: 'stats', access: 'read' },
        { name: 'gamma', access: 'read' },
        { name: 'dx', access: 'readwrite' },
      ],
    },
    /** First stage of dGamma and dBeta; see the header of backwardAffine.wgsl. */
    affine: {
      name: `layerNorm/backwardAffine.${wide ? 4 : 1}${kind}`,
      code: source(affine),
      params: fields('u32 rows, u32 cols, u32 chunk'),
      bindings: [
        { name: 'dy', access: 'read' },
        { name: 'x', access: 'read' },
        { name: 'stats', access: 'read' },
        { name: 'partials', access: 'readwrite' },
      ],
      constants: { WG: 64 },
    },
  } satisfies Record<string, KernelSpec>;
}

const KERNELS = { rows: build('rows', false), rows4: build('rows', true), lanes: build('lanes', false) };
const HALVES = { rows: build('rows', true, true), lanes: build('lanes', true, true) };

/** The kernels for rows of this many columns; with `halves`, y and dy are kept in half precision, and cols is a multiple of 4. */
export const layerNorm = (
  variant: LayerNormVariant,
  cols: number,
  halves = false,
): Readonly<Record<keyof ReturnType<typeof build>, KernelSpec>> =>
  halves ? HALVES[variant] : isWide(variant, cols, false) ? KERNELS.rows4 : KERNELS[variant];

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
/** Columns that a thread of the first stage of dGamma and dBeta takes. */
export const affineWidth = (variant: LayerNormVariant, cols: number, halves = false): number => (isWide(variant, cols, halves) ? 4 : 1);
