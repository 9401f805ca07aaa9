import { afterEach, expect, test } from 'vitest';
import { GUARD_BYTES } from '../../kernels/gradNorm/gradNorm';
import { emaDecayAt } from '../../kernels/stepState';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordEma } from '../../app/engine/optim/ema';
import { maxError, uniform, useGpu } from '../support/gpu';
import { stepState } from '../support/stepState';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

test('a young average follows the weights, an old one keeps its memory', () => {
  expect([1, 8, 90, 1000, 1e6].map((t) => emaDecayAt(0.999, t))).toEqual([2 / 11, 0.5, 0.91, 1001 / 1010, 0.999]);
  expect(emaDecayAt(0.1, 1)).toBe(0.1);
});

test.each([
  { n: 4, decay: 0.9 },
  { n: 68, decay: 0.3 },
  { n: 1028, decay: 0.999, maxBinding: 1024 },
])('six steps are those of float64, and a halt freezes the average: %o', async ({ n, decay, maxBinding }) => {
  const g = gpu();
  const start = uniform(n, 1);
  const weights = g.upload('weights', start);
  const average = g.upload('average', start);
  const guard = g.buffers.allocate('guard', GUARD_BYTES);
  const state = stepState(g, { emaDecay: decay });
  const rec = new Recorder(g, 'ema');
  recordEma(rec, { weights, average, state: state.view, guard, ...(maxBinding && { maxBinding }) });
  const program = await rec.build();
  const want = Float64Array.from(start);
  for (let t = 1; t <= 6; t++) {
    const now = uniform(n, 10 + t);
    g.write(weights, now);
    state.write({ step: t });
    program.run();
    const d = Math.min(decay, (1 + t) / (10 + t));
    want.forEach((a, i) => (want[i] = d * a + (1 - d) * now[i]!));
  }
  const got = await g.readFloats(average);
  // Six rounded updates of numbers below 1.
  expect(maxError(got, want)).toBeLessThan(1e-6);
  g.write(guard, new Uint32Array([0, 0, 1]));
  program.run();
  expect(await g.readFloats(average)).toEqual(got);
});
