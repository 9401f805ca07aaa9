import { afterEach, expect, test } from 'vitest';
import { accumulate } from '../../kernels/accumulate/accumulate';
import { GUARD_BYTES } from '../../kernels/gradNorm/gradNorm';
import { Adam } from '../../app/engine/optim/adam';
import type { View } from '../../app/engine/gpu/buffers';
import { Recorder } from '../../app/engine/gpu/recorder';
import { adamStart, adamStep } from '../reference/adamw';
import { maxError, uniform, useGpu } from '../support/gpu';
import { STATE, stepState } from '../support/stepState';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

const pad = (n: number): number => Math.ceil(n / 4) * 4;
const filled = (n: number, seed: number, size = 1): Float32Array<ArrayBuffer> => {
  const out = new Float32Array(pad(n));
  out.set(uniform(n, seed, -size, size));
  return out;
};
const guardWords = (clipScale: number, halted: boolean): ArrayBuffer => {
  const bytes = new ArrayBuffer(GUARD_BYTES);
  new Float32Array(bytes)[1] = clipScale;
  new Uint32Array(bytes)[2] = halted ? 1 : 0;
  return bytes;
};

/** `withTerm`: what passes beside the moments is added to the step between the two parts of an update. */
async function setUp(n: number, withTerm: boolean, maxBinding?: number, decay?: 'decoupled' | 'l2') {
  const g = gpu();
  const params = g.upload('params', filled(n, 1));
  const grads = g.upload('grads', filled(n, 2));
  const term = g.upload('term', filled(n, 3));
  const guard = g.upload('guard', new Uint8Array(guardWords(1, false)));
  const state = stepState(g, { weightDecay: 0.1 });
  const adam = new Adam(g, { elements: pad(n), maxBinding, decay });
  const rec = new Recorder(g, 'adam');
  const add = (step: View) =>
    void rec.dispatch(accumulate, {
      params: { n4: pad(n) / 4 },
      buffers: [term, step],
      grid: [Math.ceil(pad(n) / 256), 1, 1],
    });
  adam.recordUpdate(rec, { params, grads, state: state.view, guard }, withTerm ? add : undefined);
  return { g, params, grads, guard, state, adam, dispatches: rec.length, program: await rec.build() };
}

test.each([
  { n: 1, withTerm: false, maxBinding: undefined },
  { n: 63, withTerm: true, maxBinding: undefined },
  { n: 65, withTerm: false, maxBinding: undefined },
  { n: 1000, withTerm: true, maxBinding: undefined },
  { n: 1000, withTerm: true, maxBinding: 1024 },
  { n: 65, withTerm: false, maxBinding: undefined, decay: 'l2' as const },
  { n: 1000, withTerm: true, maxBinding: 1024, decay: 'l2' as const },
])('five clipped steps with decay follow the float64 reference: %o', async ({ n, withTerm, maxBinding, decay }) => {
  const { g, params, grads, guard, state, adam, program, dispatches } = await setUp(n, withTerm, maxBinding, decay);
  const windows = maxBinding ? Math.ceil(pad(n) / (maxBinding / 4)) : 1;
  expect(dispatches).toBe(withTerm ? 2 * windows + 1 : windows);
  const settings = { ...STATE, weightDecay: 0.1 };
  const want = adamStart(filled(n, 1));
  const term = withTerm ? filled(n, 3) : undefined;
  for (let t = 1; t <= 5; t++) {
    const clip = t === 3 ? 0.25 : 1;
    const gradient = filled(n, 10 + t, t);
    g.write(grads, gradient);
    g.write(guard, guardWords(clip, false));
    state.write({ step: t });
    program.run();
    adamStep(want, gradient, t, settings, clip, term, decay);
  }
  // Weights up to 1 move by about lr = 0.01 a step: five roundings of 6e-8 each, and 1e-6 of each move.
  expect(maxError(await g.readFloats(params), want.w)).toBeLessThan(5e-7);
  // Moments in float32: a few ulp of their largest value (5 and 25).
  expect(maxError(await g.readFloats(adam.m), want.m)).toBeLessThan(1e-6);
  expect(maxError(await g.readFloats(adam.v), want.v)).toBeLessThan(1e-7);
});

test('the first step of a fresh Adam is lr · sign(g), whatever the size of g', async () => {
  const { g, params, grads, state, program } = await setUp(4, false);
  state.write({ weightDecay: 0 });
  g.write(params, new Float32Array(4));
  // 1e-5 is 1000 eps: the step is lr/1.001 there. Taking 1 − beta2 in float32 would be off by 6e-6 of it.
  g.write(grads, Float32Array.of(1e-5, -1, 1e8, -1e15));
  program.run();
  expect(maxError(await g.readFloats(params), [-0.01 / 1.001, 0.01, -0.01, 0.01])).toBeLessThan(0.01 * 2e-6);
});

test('halting freezes weights and moments, and clearing it thaws them', async () => {
  const { g, params, grads, guard, adam, program } = await setUp(65, true);
  program.run();
  const before = [await g.readFloats(params), await g.readFloats(adam.m), await g.readFloats(adam.v)];
  g.write(guard, guardWords(1, true));
  g.write(grads, new Float32Array(pad(65)).fill(NaN));
  program.run();
  expect([await g.readFloats(params), await g.readFloats(adam.m), await g.readFloats(adam.v)]).toEqual(before);
  g.write(guard, guardWords(1, false));
  g.write(grads, filled(65, 2));
  program.run();
  expect(await g.readFloats(params)).not.toEqual(before[0]);
});

test('the same steps give the same bits, and a reset begins anew', async () => {
  const { g, params, grads, adam, program } = await setUp(1000, true);
  const runs: Float32Array[] = [];
  for (let i = 0; i < 2; i++) {
    g.write(params, filled(1000, 1));
    g.write(grads, filled(1000, 2));
    adam.reset();
    program.run();
    program.run();
    runs.push(await g.readFloats(params));
  }
  expect(runs[0]).toEqual(runs[1]);
});

test('padding stays zero, and the moments are given back', async () => {
  const { g, params, adam, program } = await setUp(5, false);
  program.run();
  expect([...(await g.readFloats(params)).slice(5)]).toEqual([0, 0, 0]);
  const live = g.buffers.liveBytes;
  expect(adam.bytes).toBe(64);
  adam.dispose();
  expect(g.buffers.liveBytes).toBe(live - 64);
  expect(() => new Adam(g, { elements: 5 }).recordUpdate(new Recorder(g, 'odd'), {} as never)).toThrow(/multiple of 4/);
});
