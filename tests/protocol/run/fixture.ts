import { defaultExperiment } from '../../../app/protocol/experiment';
import type { MatrixSpectrum } from '../../../app/protocol/messages';
import { RECORD_WIDTH, type RunRecord } from '../../../app/protocol/run/record';

const matrix = (name: string, rows: number, cols: number, step: number): MatrixSpectrum => ({
  name,
  block: 0,
  kind: 'fc1',
  rows,
  cols,
  targetRank: 2,
  regularized: true,
  sigma: Float32Array.from({ length: Math.min(rows, cols) }, (_, i) => 2 / (1 + i + step / 10)),
  epsilon: step === 0 ? NaN : 0.1 + step / 3,
  envelopeRank: 3,
  sketch: 4,
  residual: 1e-3 / 7,
  effectiveRank: 2.5 + step / 9,
  stableRank: 1.25,
  tailRatio: 0.9,
  value: 0.01 * step,
});

/** A run of a few steps with two matrices; made up, for tests of what keeps runs. */
export function sampleRun(steps = 12, patch: Partial<RunRecord> = {}): RunRecord {
  const frames = [0, 5, 10].map((step) => ({ step, matrices: [matrix('a', 6, 4, step), matrix('b', 3, 5, step)] }));
  const figures = { parameters: 10, stored: 5, flops: 100, milliseconds: null, loss: 1.5, accuracy: 0.5, count: 16 };
  return {
    id: '20261125120000-abcdef01',
    name: 'AdamQ3R, λ 5 <b>',
    date: 1_790_000_000_000,
    origin: { device: 'SwiftShader (software)', software: true, version: '0.1.0', trainCount: 20_000 },
    experiment: defaultExperiment(),
    parent: null,
    phase: 'finished',
    step: steps,
    totalSteps: steps,
    elapsedMs: 1234.5,
    marks: [{ step: 4, field: 'method.lambda', from: 1, to: 2 }],
    rows: Float64Array.from({ length: steps * RECORD_WIDTH }, (_, i) => Math.sin(i) / 3),
    clock: Float64Array.of(1, 30.5, 12, 400.25),
    evaluations: [{ step: 10, loss: 2.1, accuracy: 0.25, count: 16 }],
    frames,
    curves: { fraction: { step: steps, by: 'fraction', full: figures, cuts: [{ ...figures, step: steps, fraction: 0.2, ranks: [1, 2] }] } },
    ...patch,
  };
}
