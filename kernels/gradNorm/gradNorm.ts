import { lossScaleWgsl } from '../lossScale/lossScale';
import { expand, fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import finalizeSource from './finalize.wgsl?raw';
import guardSource from './guard.wgsl?raw';
import partialSource from './partial.wgsl?raw';

/** WGSL declaration of the guard, for kernels that obey it. */
export const guardWgsl: string = guardSource;
/** Bytes of the guard. */
export const GUARD_BYTES = 64;

export interface Guard {
  /** Global gradient norm before clipping. */
  readonly gradNorm: number;
  /** Factor for the gradient, in (0, 1]. */
  readonly clipScale: number;
  /** True from the first step on whose loss or gradient is not finite. */
  readonly halted: boolean;
  /** That step; meaningless unless halted. */
  readonly haltStep: number;
  /** Mean loss of the batch. */
  readonly loss: number;
  readonly correct: number;
  /** The scaled gradient of this step has overflowed: nothing was updated, and the scale is smaller now. */
  readonly skipped: boolean;
}

/** Unpacks a guard read back from the GPU. */
export function readGuard(bytes: ArrayBuffer): Guard {
  const f = new Float32Array(bytes);
  const u = new Uint32Array(bytes);
  return { gradNorm: f[0]!, clipScale: f[1]!, halted: u[2] !== 0, haltStep: u[3]!, loss: f[4]!, correct: u[5]!, skipped: u[6] !== 0 };
}

export const gradNormPartial: KernelSpec = {
  name: 'gradNorm/partial',
  code: partialSource,
  params: fields('u32 n4, u32 threads'),
  bindings: [
    { name: 'grads', access: 'read' },
    { name: 'partials', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

const finalize = (scaled: boolean): KernelSpec => ({
  name: scaled ? 'gradNorm/finalize.scaled' : 'gradNorm/finalize',
  code: `${stepStateWgsl}${guardSource}${scaled ? lossScaleWgsl : ''}${expand(finalizeSource, { SCALED: scaled ? 1 : 0, PLAIN: scaled ? 0 : 1 })}`,
  params: fields('u32 count, u32 batch'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'partials', access: 'read' },
    { name: 'losses', access: 'read' },
    { name: 'correct', access: 'read' },
    { name: 'guard', access: 'readwrite' },
    ...(scaled ? [{ name: 'scaling', access: 'readwrite' } as const] : []),
  ],
  constants: { WG: 64 },
});
export const gradNormFinalize = finalize(false);
/** The same where the loss is scaled: also decides whether the step is skipped, and on the scale of the next. */
export const gradNormFinalizeScaled = finalize(true);

/**
 * Threads of the first stage for `elements` gradients: enough to keep a GPU's memory busy, few enough that one workgroup
 * adds up what they leave. A multiple of 1024, and a function of the size alone, so the rounding is the same everywhere.
 */
export const partialThreads = (elements: number): number => Math.min(16384, Math.max(1, Math.ceil(elements / 32768)) * 1024);
