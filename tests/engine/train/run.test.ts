import { expect, test } from 'vitest';
import { useGpu } from '../../support/gpu';
import { makeRun, smallData, steps, tiny } from './support';

const gpu = useGpu();

test('a run gives every byte back, and a step creates no buffer', async () => {
  const before = gpu().buffers.liveBytes;
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny(), data);
  // What compiles behind the first steps has been allocated by now.
  const created = gpu().buffers.createdCount;
  await steps(run, 1, 1);
  await run.spectra();
  await run.evaluate(64);
  await run.takeSnapshot(1);
  await steps(run, 2, 12);
  await run.spectra();
  await run.evaluate(64);
  await run.takeSnapshot(12);
  expect(gpu().buffers.createdCount).toBe(created);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
  expect(gpu().buffers.liveBytes).toBe(before);
});

test.each(['adamw', 'adamq3r', 'q3r'] as const)('%s: the loss falls, and two runs are the same bit for bit', async (name) => {
  const data = smallData(gpu());
  const curves: number[][] = [];
  for (let i = 0; i < 2; i++) {
    const run = await makeRun(gpu(), tiny({ method: { name, lambda: name === 'q3r' ? 0.005 : 0.5 }, train: { augment: 'basic' } }), data);
    curves.push(
      await steps(run, 1, 40, async (t) => {
        // Looking at a run must not change it.
        if (i === 1 && t % 7 === 0) await Promise.all([run.spectra(), run.evaluate(64), run.takeSnapshot(t)]);
      }),
    );
    await run.dispose();
  }
  expect(curves[1]).toEqual(curves[0]);
  const mean = (a: number[]): number => a.reduce((x, y) => x + y, 0) / a.length;
  expect(mean(curves[0]!.slice(-10))).toBeLessThan(mean(curves[0]!.slice(0, 10)) - 0.02);
  data.train.dispose();
  data.test.dispose();
});

test('a restored snapshot continues bitwise', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny({ method: { lambda: 2 } }), data);
  await steps(run, 1, 8);
  const snapshot = await run.takeSnapshot(8);
  expect(snapshot.finite).toBe(true);
  const straight = await steps(run, 9, 20);
  run.restore(snapshot);
  expect(await steps(run, 9, 20)).toEqual(straight);
  const other = await makeRun(gpu(), tiny({ method: { lambda: 2 } }), data);
  other.restore(snapshot);
  expect(await steps(other, 9, 20)).toEqual(straight);
  await run.dispose();
  await other.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('cutting a step into several submits changes nothing', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny(), data);
  const whole = await steps(run, 1, 6);
  await run.dispose();
  const cut = await makeRun(gpu(), tiny(), data);
  const losses: number[] = [];
  for (let t = 1; t <= 6; t++) {
    await cut.ready(t);
    losses.push((await cut.submitStep(t, 5)).record.loss);
  }
  expect(losses).toEqual(whole);
  await cut.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('a learning rate that is far too high halts with the weights of the last good step, and the first bad tensor is named', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny({ train: { lr: 1, gradClip: 0 }, method: { lambda: 1000 } }), data);
  let halted = 0;
  for (let t = 1; t <= 60 && halted === 0; t++) {
    await run.ready(t);
    if ((await run.submitStep(t, 1)).halted) halted = t;
  }
  expect(halted).toBeGreaterThan(1);
  const weights = await run.readParameters();
  await run.ready(halted + 1);
  await run.submitStep(halted + 1, 1);
  expect(await run.readParameters()).toEqual(weights);
  const bad = await run.firstBadTensor();
  expect(bad?.count).toBeGreaterThan(0);
  expect(bad?.name).toMatch(/\w/);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});
