import { guardWgsl } from '../gradNorm/gradNorm';
import { fields, type KernelSpec } from '../spec';
import { stepStateWgsl } from '../stepState';
import source from './metrics.wgsl?raw';

/** Bytes of one record. */
export const METRICS_BYTES = 32;

/** What is read back of a step; values are those before its update. */
export interface StepMetrics {
  /** Mean over the batch. */
  readonly loss: number;
  /** Share of the batch classified correctly, in [0, 1]. */
  readonly accuracy: number;
  /** Before clipping. */
  readonly gradNorm: number;
  readonly regularizer: number;
  /** The weights were not updated, because this step or an earlier one was not finite. */
  readonly halted: boolean;
  readonly step: number;
}

/** Unpacks record `index` of a block of records read back from the GPU. */
export function readMetrics(bytes: ArrayBuffer, index = 0): StepMetrics {
  const f = new Float32Array(bytes, index * METRICS_BYTES, 4);
  const u = new Uint32Array(bytes, index * METRICS_BYTES, 8);
  return { loss: f[0]!, accuracy: f[1]!, gradNorm: f[2]!, regularizer: f[3]!, halted: u[4] !== 0, step: u[5]! };
}

/** With `has_regularizer` 0 any readable buffer stands in for the value. */
export const metricsRecord: KernelSpec = {
  name: 'metrics/record',
  code: `${stepStateWgsl}${guardWgsl}${source}`,
  params: fields('u32 batch, u32 has_regularizer'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'guard', access: 'read' },
    { name: 'regularizer', access: 'read' },
    { name: 'metrics', access: 'readwrite' },
  ],
};
