import { fields, type KernelSpec } from '../spec';
import stateSource from './state.wgsl?raw';
import unscaleSource from './unscale.wgsl?raw';

/** WGSL declaration of the loss scale's state and bounds, for kernels that read or move it. */
export const lossScaleWgsl: string = stateSource;
export const LOSS_SCALE_BYTES = 16;

/** The state at the start of a run, or with another scale, a power of two. */
export const lossScaleState = (scale: number): ArrayBuffer => Float32Array.of(scale, 0, 0, 0).buffer;

/** Unpacks the state read back from the GPU. */
export function readLossScale(bytes: ArrayBuffer): { scale: number; good: number; skips: number } {
  const u = new Uint32Array(bytes);
  return { scale: new Float32Array(bytes)[0]!, good: u[1]!, skips: u[2]! };
}

export const unscale: KernelSpec = {
  name: 'lossScale/unscale',
  code: `${stateSource}${unscaleSource}`,
  params: fields('u32 n4'),
  bindings: [
    { name: 'scaling', access: 'read' },
    { name: 'grads', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};
