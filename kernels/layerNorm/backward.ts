import halvesLib from '../lib/halves.wgsl?raw';
import { ceilDiv, expand, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import source from './backward.wgsl?raw';

const THREADS = 256;
/** Quads of columns a thread keeps: with more, its sums leave the registers and the workgroup's memory is full. */
const MAX_QUADS = 3;
/** Workgroups that keep a graphics card busy. */
const FILL = 256;

/** Columns that `layerNormBackward` can take. */
export const fitsLayerNormBackward = (cols: number): boolean => cols % 4 === 0 && cols <= 4 * MAX_QUADS * THREADS;

/** Threads that share a row: a power of two from 16. */
function lanesOf(cols: number): number {
  let lanes = 16;
  while (lanes * MAX_QUADS * 4 < cols) lanes *= 2;
  return lanes;
}

/** The rows of a workgroup, and how many workgroups that makes. */
export function layerNormBackwardChunks(rows: number, cols: number): { chunk: number; chunks: number } {
  const together = THREADS / lanesOf(cols);
  const chunk = together * Math.max(1, Math.floor(rows / together / FILL));
  return { chunk, chunks: ceilDiv(rows, chunk) };
}

const specs = new Map<string, KernelSpec>();

/** Gradient of the input and sums of those of γ and β in one pass; see the header of backward.wgsl. */
export function layerNormBackward(cols: number, halves: boolean): KernelSpec {
  const LANES = lanesOf(cols);
  const NV = ceilDiv(cols, 4 * LANES);
  const name = `layerNorm/backward.${LANES}x${NV}${halves ? '.halves' : ''}`;
  let spec = specs.get(name);
  if (spec) return spec;
  const values = { LANES, NV, ROWS: THREADS / LANES, STORED: halves ? 'vec2u' : 'vec4f', UNPACK: halves ? 'unpack_halves' : '' };
  spec = {
    name,
    code: (halves ? halvesLib : '') + expand(source, values),
    params: fields('u32 rows, u32 cols, u32 accumulate, u32 chunk'),
    bindings: [
      { name: 'dy', access: 'read' },
      { name: 'x', access: 'read' },
      { name: 'stats', access: 'read' },
      { name: 'gamma', access: 'read' },
      { name: 'dx', access: 'readwrite' },
      { name: 'parts', access: 'readwrite' },
    ],
  };
  specs.set(name, spec);
  return spec;
}

export const layerNormBackwardGrid = (chunks: number): Grid => foldGrid(chunks);
