import { expect, test } from 'vitest';
import { packStepState } from '../../../kernels/stepState';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { hoyerOf } from '../../../app/engine/regularizers/hoyer/once';
import { HoyerRegularizer, hoyerValueOf } from '../../../app/engine/regularizers/hoyer/regularizer';
import { hoyer64 } from '../../reference/hoyer';
import { goldenCases } from '../../support/golden';
import { maxError, relativeError, uniform, useGpu } from '../../support/gpu';
import { STATE } from '../../support/stepState';

const gpu = useGpu();

test('the golden cases: value and gradient, plain and square, either orientation', async () => {
  const cases = await goldenCases('hoyer');
  expect(cases).toHaveLength(3);
  for (const { spec, tensors } of cases) {
    const [rows, cols] = spec.params.shape as [number, number];
    const data = tensors.get(`${spec.id}.W`)!.data as Float32Array;
    for (const [square, name] of [
      [false, 'hoyer'],
      [true, 'hoyer_square'],
    ] as const) {
      const { value, gradient, sigma } = await hoyerOf(gpu(), { data, rows, cols }, square);
      const key = `${spec.id}.grad_${name}`;
      expect(maxError(gradient, tensors.get(key)!.data)).toBeLessThan(spec.expected[key]!.atol);
      const scalar = spec.scalars![name]!;
      expect(Math.abs(value - scalar.value)).toBeLessThan(scalar.atol!);
      expect(Math.abs(hoyerValueOf(sigma, square) - scalar.value)).toBeLessThan(scalar.atol!);
    }
  }
});

test('a zero matrix has value 0 and gradient 0; so has a matrix of rank 1, whose measure is as low as it can be', async () => {
  for (const square of [false, true]) {
    const zero = await hoyerOf(gpu(), { data: new Float32Array(15), rows: 3, cols: 5 }, square);
    expect([zero.value, ...zero.gradient]).toEqual(new Array(16).fill(0));
    const one = new Float32Array(35).map((_, i) => (1 + Math.floor(i / 5)) * (2 - (i % 5)));
    const { value, gradient } = await hoyerOf(gpu(), { data: one, rows: 7, cols: 5 }, square);
    expect(Math.abs(value)).toBeLessThan(1e-5);
    // The two terms of the gradient, about 1/σ₁ each, cancel.
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6);
  }
});

test('one matrix of a single entry, and one of half rank against the reference that leaves out the directions that are not there', async () => {
  const single = await hoyerOf(gpu(), { data: Float32Array.of(-2), rows: 1, cols: 1 }, false);
  expect(single.value).toBe(0);
  const [rows, cols, r] = [9, 13, 4];
  const [a, b] = [uniform(rows * r, 1), uniform(r * cols, 2)];
  const data = new Float32Array(rows * cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) for (let c = 0; c < r; c++) data[i * cols + j]! += a[i * r + c]! * b[c * cols + j]!;
  const want = hoyer64(data, rows, cols, true);
  const got = await hoyerOf(gpu(), { data, rows, cols }, true);
  expect(Math.abs(got.value - want.value)).toBeLessThan(1e-5 * want.value);
  expect(relativeError(got.gradient, want.gradient)).toBeLessThan(1e-4);
});

test('many matrices at once: exact after every refresh from a warm start, scaled by λ and by each matrix’s factor', async () => {
  const g = gpu();
  const shapes = [
    [12, 20],
    [21, 9],
    [16, 16],
  ] as const;
  const scales = [1, 0, 2.5];
  let offset = 4;
  const matrices = shapes.map(([rows, cols], i) => {
    const m = { name: `m${i}`, offset, rows, cols, targetRank: 0, lambdaScale: scales[i]! };
    offset += rows * cols + 3;
    return m;
  });
  const params = g.buffers.allocate('params', offset * 4);
  const out = g.buffers.allocate('out', offset * 4);
  const value = g.buffers.allocate('value', 16);
  const state = g.upload('state', new Uint8Array(packStepState({ ...STATE, lambda: 0.5 })));
  const hoyer = new HoyerRegularizer(g, { matrices, params, square: false, seed: 1 });
  await hoyer.build();
  const recorder = new Recorder(g, 'apply');
  hoyer.recordApply(recorder, { state, out, mode: 'add', value });
  const apply = await recorder.build();
  const base = uniform(offset, 3);
  let status: Awaited<ReturnType<typeof hoyer.svd.readStatus>> | undefined;
  let anchor = base;
  for (let step = 0; step < 4; step++) {
    const w = base.map((x, i) => x + 0.05 * step * Math.sin(i));
    g.write(params, w);
    // Not refreshed at the last step: U, V and σ stay those of the step before, W is the present one.
    if (step < 3) {
      hoyer.nextRefresh(status).run();
      status = await hoyer.svd.readStatus();
      expect(status.every((s) => s.converged)).toBe(true);
      anchor = w;
    }
    g.write(out, new Float32Array(offset).fill(1));
    apply.run();
    const all = await g.readFloats(out);
    let total = 0;
    for (const { offset: at, rows, cols, lambdaScale } of matrices) {
      const size = rows * cols;
      const want = hoyer64(anchor.slice(at, at + size), rows, cols, false);
      total += 0.5 * lambdaScale * want.value;
      if (step === 3) continue;
      const expected = Float64Array.from(want.gradient, (x) => 1 + 0.5 * lambdaScale * x);
      // Gradients are below 0.1, and 1 is added in f32.
      expect(maxError(all.slice(at, at + size), expected)).toBeLessThan(1e-6);
    }
    expect(Math.abs((await g.readFloats(value))[0]! - total)).toBeLessThan(1e-5);
    expect([...all.slice(0, 4)]).toEqual([1, 1, 1, 1]);
  }
  const saved = hoyer.saveState();
  hoyer.reset();
  hoyer.restoreState(saved);
  expect(hoyer.saveState()).toEqual(saved);
  apply.dispose();
  hoyer.dispose();
  for (const view of [params, out, value, state]) g.buffers.free(view);
  expect(g.buffers.liveBytes).toBe(0);
});
