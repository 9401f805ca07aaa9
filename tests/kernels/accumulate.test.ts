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
  // The gradients pass through a stage in two pieces, as those of layers do.
  const cut = 64 * Math.floor(elements / 128);
  const pieces = [{ first: cut, at: 0, elements: elements - cut }, ...(cut > 0 ? [{ first: 0, at: 0, elements: cut }] : [])];
  const accumulation = new Accumulation(g, { ...o, elements: elements - cut });
  const total = g.upload('total', new Float32Array(elements).fill(99));
  const losses = g.buffers.allocate('losses', rows * 4);
  const correct = g.buffers.allocate('correct', rows * 4);
  const want = new Float32Array(elements);
  for (let part = 0; part < parts; part++) {
    const grads = uniform(elements, part + 1);
    g.write(
      losses,
      Float32Array.from({ length: rows }, (_, i) => part * rows + i),
    );
    g.write(
      correct,
      Uint32Array.from({ length: rows }, (_, i) => (part * rows + i) % 3),
    );
    const run = async (record: (rec: Recorder) => void) => {
      const rec = new Recorder(g, 'part');
      record(rec);
      const program = await rec.build();
      program.run();
      program.dispose();
    };
    if (part === 0) await run((rec) => accumulation.recordClear(rec, total));
    for (const piece of pieces) {
      g.write(accumulation.stage, grads.slice(piece.first, piece.first + piece.elements));
      await run((rec) => accumulation.recordAdd(rec, total, piece, 'add'));
    }
    await run((rec) => accumulation.recordPart(rec, part, { losses, correct }));
    // In float32 and in this order: the sum is exact to the bit.
    grads.forEach((v, i) => (want[i] = part === 0 ? v : want[i]! + v));
  }
  expect([...(await g.readFloats(total))]).toEqual([...want]);
  expect([...(await g.readFloats(accumulation.losses))].slice(0, batch)).toEqual(Array.from({ length: batch }, (_, i) => i));
  expect([...new Uint32Array(await g.read(accumulation.correct))].slice(0, batch)).toEqual(Array.from({ length: batch }, (_, i) => i % 3));
});
