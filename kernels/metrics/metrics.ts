import { guardWgsl } from '../gradNorm/gradNorm';
import { lossScaleWgsl } from '../lossScale/lossScale';
import { expand, fields, type KernelSpec } from '../spec';
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
  /** What the loss of the next step is scaled by; 0 where none is. */
  readonly lossScale: number;
  /** The scaled gradient has overflowed, and the step was skipped. */
  readonly skipped: boolean;
}

/** Unpacks record `index` of a block of records read back from the GPU. */
export function readMetrics(bytes: ArrayBuffer, index = 0): StepMetrics {
  const f = new Float32Array(bytes, index * METRICS_BYTES, 8);
  const u = new Uint32Array(bytes, index * METRICS_BYTES, 8);
  return {
    ...{ loss: f[0]!, accuracy: f[1]!, gradNorm: f[2]!, regularizer: f[3]!, halted: u[4] !== 0, step: u[5]! },
    ...{ lossScale: f[6]!, skipped: u[7] !== 0 },
  };
}

const record = (scaled: boolean): KernelSpec => ({
  name: scaled ? 'metrics/record.scaled' : 'metrics/record',
  code: `${stepStateWgsl}${guardWgsl}${scaled ? lossScaleWgsl : ''}${expand(source, { SCALED: scaled ? 1 : 0 })}`,
  params: fields('u32 batch, u32 has_regularizer'),
  bindings: [
    { name: 'state', access: 'read' },
    { name: 'guard', access: 'read' },
    { name: 'regularizer', access: 'read' },
    { name: 'metrics', access: 'readwrite' },
    ...(scaled ? [{ name: 'scaling', access: 'read' } as const] : []),
  ],
});
/** With `has_regularizer` 0 any readable buffer stands in for the value. */
export const metricsRecord = record(false);
export const metricsRecordScaled = record(true);
