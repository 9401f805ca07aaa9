import { expand, fields, type KernelSpec } from '../spec';
import copySource from './copy.wgsl?raw';
import fmaSource from './fma.wgsl?raw';
import readSource from './read.wgsl?raw';

/** Invocations of a workgroup, in all three. */
export const PEAK_WORKGROUP = 64;
/** Multiply-adds of an accumulator per turn of the loop: enough that the loop's own instructions do not count. */
export const FMA_UNROLL = 8;
/** Elements that an invocation moves per turn of the loop, of four floats each. */
export const STREAM_UNROLL = 4;

/** Multiply-adds on `tile` vec4 accumulators held in registers; see the header of fma.wgsl. How many are best depends on the device. */
export const fmaKernel = (tile: number): KernelSpec => ({
  name: `peak/fma${tile}`,
  code: expand(fmaSource, { TILE: tile, UNROLL: FMA_UNROLL }),
  params: fields('u32 turns, f32 x, f32 y'),
  bindings: [{ name: 'sums', access: 'readwrite' }],
  constants: { WG: PEAK_WORKGROUP },
});

/** Floating-point operations of one dispatch of `fmaKernel(tile)`; a multiply-add counts as two. */
export const fmaFlops = (tile: number, turns: number, invocations: number): number => 8 * tile * FMA_UNROLL * turns * invocations;

/** Elements of four floats that a stream of at most `most` of them moves on `groups` workgroups: `n4` of both kernels. */
export function streamElements(most: number, groups: number): number {
  const turn = groups * PEAK_WORKGROUP * STREAM_UNROLL;
  return Math.floor(most / turn) * turn;
}

/** Copies an array; see the header of copy.wgsl. */
export const copyKernel: KernelSpec = {
  name: 'peak/copy',
  code: expand(copySource, { UNROLL: STREAM_UNROLL }),
  params: fields('u32 n4'),
  bindings: [
    { name: 'input', access: 'read' },
    { name: 'out', access: 'readwrite' },
  ],
  constants: { WG: PEAK_WORKGROUP },
};

/** Sums an array; see the header of read.wgsl. */
export const readKernel: KernelSpec = {
  name: 'peak/read',
  code: expand(readSource, { UNROLL: STREAM_UNROLL }),
  params: fields('u32 n4'),
  bindings: [
    { name: 'input', access: 'read' },
    { name: 'sums', access: 'readwrite' },
  ],
  constants: { WG: PEAK_WORKGROUP },
};
