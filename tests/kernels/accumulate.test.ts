import { afterEach, expect, test } from 'vitest';
import { Recorder } from '../../app/engine/gpu/recorder';
import { Accumulation } from '../../app/engine/optim/accumulate';
import { uniform, useGpu } from '../support/gpu';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

test.each([
  { elements: 4, batch: 2, parts: 2 },
  { elements: 260, batch: 195, parts: 3 },
  { elements: 1028, batch: 5, parts: 5, maxBinding: 1024 },
])('gradients add up in order, losses and hits take their places: %o', async (o) => {
  const g = gpu();
  const { elements, batch, parts } = o;
  const rows = batch / parts;
  const accumulation = new Accumulation(g, o);
  const total = g.upload('total', new Float32Array(elements).fill(99));
  const losses = g.buffers.allocate('losses', rows * 4);
  const correct = g.buffers.allocate('correct', rows * 4);
  const want = new Float32Array(elements);
  for (let part = 0; part < parts; part++) {
    const grads = uniform(elements, part + 1);
    g.write(accumulation.grads, grads);
    g.write(
      losses,
      Float32Array.from({ length: rows }, (_, i) => part * rows + i),
    );
    g.write(
      correct,
      Uint32Array.from({ length: rows }, (_, i) => (part * rows + i) % 3),
    );
    const rec = new Recorder(g, 'part');
    accumulation.recordPart(rec, part, { losses, correct, total });
    const program = await rec.build();
    program.run();
    program.dispose();
    // In float32 and in this order: the sum is exact to the bit.
    grads.forEach((v, i) => (want[i] = part === 0 ? v : want[i]! + v));
  }
  expect([...(await g.readFloats(total))]).toEqual([...want]);
  expect([...(await g.readFloats(accumulation.losses))].slice(0, batch)).toEqual(Array.from({ length: batch }, (_, i) => i));
  expect([...new Uint32Array(await g.read(accumulation.correct))].slice(0, batch)).toEqual(Array.from({ length: batch }, (_, i) => i % 3));
});
