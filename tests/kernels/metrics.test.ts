import { afterEach, expect, test } from 'vitest';
import { GUARD_BYTES } from '../../kernels/gradNorm/gradNorm';
import { lossScaleState } from '../../kernels/lossScale/lossScale';
import { METRICS_BYTES, readMetrics } from '../../kernels/metrics/metrics';
import { recordMetrics } from '../../app/engine/optim/gradNorm';
import { Recorder } from '../../app/engine/gpu/recorder';
import { useGpu } from '../support/gpu';
import { stepState } from '../support/stepState';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

test.each([true, false])('a record holds the step (regularizer: %s)', async (withRegularizer) => {
  const g = gpu();
  const words = new ArrayBuffer(GUARD_BYTES);
  const f = new Float32Array(words);
  const u = new Uint32Array(words);
  f[0] = 12.5;
  f[4] = 2.25;
  u[2] = 1;
  u[5] = 3;
  const guard = g.upload('guard', new Uint8Array(words));
  const regularizer = withRegularizer ? g.upload('value', Float32Array.of(0.75)) : undefined;
  const metrics = g.buffers.allocate('metrics', METRICS_BYTES);
  const state = stepState(g, { step: 41 });
  const rec = new Recorder(g, 'metrics');
  recordMetrics(rec, { state: state.view, guard, batch: 4, regularizer, metrics });
  const program = await rec.build();
  program.run();
  const bytes = await g.read(metrics);
  const want = {
    loss: 2.25,
    accuracy: 0.75,
    gradNorm: 12.5,
    regularizer: withRegularizer ? 0.75 : 0,
    halted: true,
    step: 41,
    lossScale: 0,
    skipped: false,
  };
  expect(readMetrics(bytes)).toEqual(want);
  const two = new Uint8Array(2 * METRICS_BYTES);
  two.set(new Uint8Array(bytes), METRICS_BYTES);
  expect(readMetrics(two.buffer, 1)).toEqual(want);
});

test('where the loss is scaled, the record has the scale of the next step, and whether this one was skipped', async () => {
  const g = gpu();
  const guard = g.upload(
    'guard',
    Uint32Array.from({ length: GUARD_BYTES / 4 }, (_, i) => (i === 6 ? 1 : 0)),
  );
  const metrics = g.buffers.allocate('metrics', METRICS_BYTES);
  const scaling = g.upload('scaling', new Uint8Array(lossScaleState(4096)));
  const rec = new Recorder(g, 'metrics.scaled');
  recordMetrics(rec, { state: stepState(g).view, guard, batch: 4, metrics, scaling });
  (await rec.build()).run();
  expect(readMetrics(await g.read(metrics))).toMatchObject({ lossScale: 4096, skipped: true, halted: false });
});
