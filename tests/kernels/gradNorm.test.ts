import { afterEach, expect, test } from 'vitest';
import { GUARD_BYTES, readGuard } from '../../kernels/gradNorm/gradNorm';
import { gradNormScratchBytes, recordGradNorm } from '../../app/engine/optim/gradNorm';
import { Recorder } from '../../app/engine/gpu/recorder';
import { norm } from '../reference/adamw';
import { uniform, useGpu } from '../support/gpu';
import { stepState } from '../support/stepState';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

/** Pads to whole vec4 with zeros, as arenas are. */
const padded = (x: Float32Array): Float32Array => {
  const out = new Float32Array(Math.ceil(x.length / 4) * 4);
  out.set(x);
  return out;
};

async function setUp(gradients: Float32Array, losses: Float32Array, hits: Uint32Array, gradClip = 0, maxBinding?: number) {
  const g = gpu();
  const grads = g.upload('grads', padded(gradients));
  const lossView = g.upload('losses', losses);
  const correct = g.upload('correct', hits);
  const guard = g.buffers.allocate('guard', GUARD_BYTES);
  const scratch = g.buffers.allocate('scratch', gradNormScratchBytes(g, grads.size / 4, maxBinding));
  const state = stepState(g, { gradClip, step: 7 });
  const rec = new Recorder(g, 'gradNorm');
  recordGradNorm(rec, { grads, losses: lossView, correct, batch: losses.length, state: state.view, guard, scratch, maxBinding });
  const program = await rec.build();
  const run = async () => {
    program.run();
    return readGuard(await g.read(guard));
  };
  return { g, grads, lossView, guard, state, run, dispatches: rec.length };
}

test.each([1, 63, 65, 1000, 300_000])('norm, loss and hits of %i gradients', async (n) => {
  const batch = Math.min(n, 2048);
  const gradients = uniform(n, n);
  const losses = uniform(batch, 2, 0, 3);
  const hits = Uint32Array.from(uniform(batch, 3, 0, 2));
  const { run } = await setUp(gradients, losses, hits);
  const got = await run();
  const want = norm(gradients);
  // Threads add up to 9 squares each and a tree the rest: a few ulp of 1.2e-7.
  expect(Math.abs(got.gradNorm - want) / want).toBeLessThan(1e-6);
  const loss = losses.reduce((a, b) => a + b, 0) / batch;
  expect(Math.abs(got.loss - loss) / loss).toBeLessThan(1e-6);
  expect(got.correct).toBe(hits.reduce((a, b) => a + b, 0));
  expect(got).toMatchObject({ clipScale: 1, halted: false });
  expect(await run()).toEqual(got);
});

test('an arena larger than one binding is seen in windows', async () => {
  const gradients = uniform(5000, 4);
  const { run, dispatches } = await setUp(gradients, Float32Array.of(1), Uint32Array.of(1), 0, 8192);
  expect(dispatches).toBe(4);
  expect((await run()).gradNorm / norm(gradients)).toBeCloseTo(1, 6);
});

test.each([1e-15, 1e15])('entries of %f neither vanish nor overflow', async (size) => {
  const { run } = await setUp(uniform(1000, 1, -size, size), Float32Array.of(1), Uint32Array.of(0));
  const want = norm(uniform(1000, 1, -size, size));
  const got = await run();
  expect(Math.abs(got.gradNorm - want) / want).toBeLessThan(1e-6);
  expect(got.halted).toBe(false);
});

test('clipping scales a long gradient to the limit and leaves a short one alone', async () => {
  const { run, state } = await setUp(Float32Array.of(3, 4), Float32Array.of(1), Uint32Array.of(0), 2.5);
  expect(await run()).toMatchObject({ gradNorm: 5, clipScale: 0.5 });
  state.write({ gradClip: 5.5 });
  expect(await run()).toMatchObject({ gradNorm: 5, clipScale: 1 });
  state.write({ gradClip: 0 });
  expect((await run()).clipScale).toBe(1);
});

test.each([
  ['NaN in the gradient', Float32Array.of(1, NaN, 2), [1]],
  ['infinity in the gradient', Float32Array.of(1, -Infinity), [1]],
  ['a norm past float32', Float32Array.of(1e25), [1]],
  ['NaN loss', Float32Array.of(1), [1, NaN]],
  ['infinite loss', Float32Array.of(1), [Infinity, 1]],
] as const)('%s halts, and stays so until cleared', async (_, gradients, losses) => {
  const { g, grads, lossView, guard, state, run } = await setUp(gradients, Float32Array.from(losses), new Uint32Array(losses.length));
  const bad = await run();
  expect(bad).toMatchObject({ halted: true, haltStep: 7 });
  expect(Number.isFinite(bad.gradNorm) && Number.isFinite(bad.loss)).toBe(false);
  state.write({ step: 8 });
  expect(await run()).toMatchObject({ halted: true, haltStep: 7 });
  g.write(grads, new Float32Array(grads.size / 4).fill(1));
  g.write(lossView, new Float32Array(losses.length).fill(1));
  expect(await run()).toMatchObject({ halted: true, haltStep: 7, loss: 1 });
  g.write(guard, new Uint32Array(GUARD_BYTES / 4));
  expect(await run()).toMatchObject({ halted: false, haltStep: 0 });
});
