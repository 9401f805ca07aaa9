import { expect, test } from 'vitest';
import { slice } from '../../../app/engine/gpu/buffers';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { accumulate } from '../../../kernels/accumulate/accumulate';
import { roundsOperands, unitVariants } from '../../../kernels/matmul/matmul';
import { stageElements, type GradientWindow } from '../../../app/engine/model/gradientStage';
import { activationElements, elementsBeside, stepFlops, stepProducts } from '../../../app/engine/model/memory';
import { initialParameters, type VitConfig } from '../../../app/engine/model/parameters';
import { VitModel } from '../../../app/engine/model/vit';
import { defaultMatmulTuning, matmulShapeKey, type MatmulTuning } from '../../../app/engine/ops/matmul';
import { maxError, relativeError, uniform, useGpu } from '../../support/gpu';

const gpu = useGpu();
/** Odd on purpose: nothing is a multiple of 4. */
const config: VitConfig = {
  imageSize: 15,
  inChannels: 1,
  numClasses: 7,
  patchSize: 5,
  embedDim: 9,
  depth: 2,
  numHeads: 3,
  mlpRatio: 1.5,
};
const batch = 3;
const IMAGES = uniform(batch * 15 * 15, 1);

interface PassOptions {
  readonly config?: VitConfig;
  readonly tuning?: MatmulTuning;
  readonly training?: boolean;
  readonly allTokens?: boolean;
  readonly recompute?: boolean;
  readonly halves?: boolean;
  /** What the gradients and the partial sums hold at first. */
  readonly fill?: number;
  /** Gradients are added to zeros layer by layer, through the room of one. */
  readonly staged?: boolean;
}

/**
 * One pass of a new model over three images, backward too unless `training` is false; `grads` are 0 then. `beside`: the largest
 * number of the arena of gradients that is of no parameter.
 */
async function pass({ config: of = config, fill = 0, staged = false, ...o }: PassOptions) {
  const g = gpu();
  const model = new VitModel(g, { config: of, batch, tuning: defaultMatmulTuning(g.info), training: true, ...o });
  const params = g.upload(
    'params',
    initialParameters(of, model.table, 3).map((v) => v * 3),
  );
  const grads = g.buffers.allocate('grads', model.table.total * 4);
  // Only a backward pass with fewer dispatches has partial sums of its own.
  const parts = model.items.some(({ name }) => name === 'parts') ? [model.tap('parts')] : [];
  for (const view of fill === 0 ? [] : [grads, ...parts]) g.write(view, new Float32Array(view.size / 4).fill(fill));
  g.write(model.images, IMAGES);
  g.write(model.labels, new Int32Array([1, 0, 6]));
  const recorder = new Recorder(g, 'pass');
  model.recordForward(recorder, params);
  model.recordLoss(recorder, 0);
  const stage = staged ? g.buffers.allocate('stage', stageElements(of) * 4) : undefined;
  const add: (window: GradientWindow) => void = ({ first, at, elements }) =>
    void recorder.dispatch(accumulate, {
      params: { n4: elements / 4 },
      buffers: [slice(stage!, at, elements), slice(grads, first, elements)],
      grid: [Math.ceil(elements / 256), 1, 1],
    });
  if (o.training ?? true) model.recordBackward(recorder, params, stage ?? grads, stage && add);
  const program = await recorder.build();
  program.run();
  const written = await g.readFloats(grads);
  const tensors = model.table.entries.flatMap(({ offset, length }) => [...written.subarray(offset, offset + length)]);
  for (const { offset, length } of model.table.entries) written.fill(0, offset, offset + length);
  const out = {
    logits: await g.readFloats(model.logits),
    grads: Float32Array.from(tensors),
    beside: Math.max(...written.map(Math.abs)),
    bytes: model.bytes,
    dispatches: recorder.length,
  };
  program.dispose();
  model.dispose();
  for (const view of [params, grads, ...(stage ? [stage] : [])]) g.buffers.free(view);
  return out;
}

test.each([
  [true, false, false],
  [true, true, false],
  [true, false, true],
  [false, false, false],
  [false, true, false],
])('training %s, all tokens %s, recomputed %s: the plan counts exactly the bytes the model allocates', (training, allTokens, recompute) => {
  const g = gpu();
  for (const fill of [0, 4096]) {
    const tuning = { ...defaultMatmulTuning(g.info), fill, fused: fill > 0 };
    const model = new VitModel(g, { config, batch, tuning, training, allTokens, recompute });
    const { items, total, largest } = activationElements(config, batch, training, { allTokens, recompute, tuning });
    // A buffer is a whole number of 16-byte steps.
    const bytes = items.reduce((sum, { elements }) => sum + Math.max(16, Math.ceil(elements / 4) * 16), 0);
    expect(model.bytes).toBe(bytes);
    expect(g.buffers.liveBytes).toBe(bytes);
    expect(total).toBe(items.reduce((sum, { elements }) => sum + elements, 0));
    expect(largest.elements).toBe(Math.max(...items.map(({ elements }) => elements)));
    model.dispose();
    expect(g.buffers.liveBytes).toBe(0);
  }
});

test('the evaluation model gives the logits of the training model from less memory', async () => {
  const g = gpu();
  const tuning = defaultMatmulTuning(g.info);
  const training = new VitModel(g, { config, batch, tuning, training: true });
  const evaluation = new VitModel(g, { config, batch, tuning, training: false });
  const params = g.upload(
    'params',
    initialParameters(config, training.table, 3).map((v) => v * 3),
  );
  const images = uniform(batch * 15 * 15, 1);
  const recorder = new Recorder(g, 'both');
  for (const model of [training, evaluation]) {
    g.write(model.images, images);
    g.write(model.labels, new Int32Array([1, 0, 6]));
    model.recordForward(recorder, params);
    model.recordLoss(recorder, 0.1);
  }
  const program = await recorder.build();
  const created = g.buffers.createdCount;
  program.run();
  expect(g.buffers.createdCount).toBe(created);
  const want = await g.readFloats(training.logits);
  expect(want.some((v) => v !== 0)).toBe(true);
  expect(await g.readFloats(evaluation.logits)).toEqual(want);
  expect(await g.readFloats(evaluation.losses)).toEqual(await g.readFloats(training.losses));
  expect(evaluation.bytes).toBeLessThan(training.bytes);
  expect(() => evaluation.recordBackward(new Recorder(g, 'none'), params, params)).toThrow(/backward/);
  expect(() => evaluation.tap('nothing')).toThrow(/nothing/);
  program.dispose();
  for (const model of [training, evaluation]) model.dispose();
  g.buffers.free(params);
  expect(g.buffers.liveBytes).toBe(0);
});

test('a guest takes only the bytes that its host has no room for, and computes the same', async () => {
  const g = gpu();
  const tuning = defaultMatmulTuning(g.info);
  // No activation of one block has room for the larger of these.
  const guests = [1500, 300].map((elements, i) => ({ name: `guest ${i}`, elements }));
  const host = new VitModel(g, { config, batch, tuning, training: true, guests });
  const params = g.upload('params', initialParameters(config, host.table, 3));
  const planned = activationElements(config, batch, true, { tuning, guests });
  expect(planned.items).toEqual(host.items);
  expect(planned.largest.elements).toBe(activationElements(config, batch, true, { tuning }).largest.elements);
  expect(elementsBeside(guests, activationElements(config, batch, true, { tuning }).items)).toBe(1500);
  expect(elementsBeside(guests, host.items)).toBe(0);
  const lent = [...host.lend(guests).values()];
  expect(lent.map(({ size }) => size)).toEqual([6000, 1200]);
  expect(lent[0]!.buffer).not.toBe(lent[1]!.buffer);
  const [first, second] = [0, 1].map((i) => host.tap(`blocks.${i}.qkv`));
  expect([second!.buffer, second!.offset % 256]).toEqual([first!.buffer, 0]);
  expect(second!.offset).toBeGreaterThanOrEqual(first!.size);
  const before = g.buffers.liveBytes;
  // Twice the images: some of its buffers are too large for any of the host's.
  const guest = new VitModel(g, { config, batch: 2 * batch, tuning, training: false, host });
  const alone = activationElements(config, 2 * batch, false, { tuning });
  const lodged = activationElements(config, 2 * batch, false, { tuning, hosts: host.items });
  expect(lodged.total).toBeLessThan(alone.total);
  expect(g.buffers.liveBytes - before).toBe(guest.bytes);
  expect(guest.items.reduce((sum, { elements }) => sum + elements, 0)).toBe(lodged.total);
  const images = uniform(batch * 15 * 15, 1);
  const logitsOf = async (model: VitModel, data: Float32Array<ArrayBuffer>): Promise<Float32Array> => {
    g.write(model.images, data);
    const recorder = new Recorder(g, 'logits');
    model.recordForward(recorder, params);
    const program = await recorder.build();
    program.run();
    program.dispose();
    return (await g.readFloats(model.logits)).slice(0, batch * 7);
  };
  const want = await logitsOf(host, images);
  expect(await logitsOf(guest, Float32Array.from([...images, ...images]))).toEqual(want);
  expect((await g.readFloats(host.logits)).slice(0, batch * 7)).toEqual(want);
  guest.dispose();
  expect(g.buffers.liveBytes).toBe(before);
  host.dispose();
  g.buffers.free(params);
});

test('mean pooling needs all tokens of the last block, and the plan counts its buffers', () => {
  const g = gpu();
  const tuning = defaultMatmulTuning(g.info);
  const pooled: VitConfig = { ...config, pool: 'avg' };
  const model = new VitModel(g, { config: pooled, batch, tuning, training: true });
  const { items } = activationElements(pooled, batch, true, { tuning });
  expect(model.bytes).toBe(items.reduce((sum, { elements }) => sum + Math.max(16, Math.ceil(elements / 4) * 16), 0));
  expect(model.tap('blocks.1.out').size).toBe(batch * 10 * 9 * 4);
  model.dispose();
});

test('all tokens of the last block give nearly the same logits and gradients, blocks that are computed again the same bits', async () => {
  const [a, b, again] = [await pass({}), await pass({ allTokens: true }), await pass({ recompute: true })];
  expect(again.logits).toEqual(a.logits);
  expect(again.grads).toEqual(a.grads);
  expect(again.bytes).toBeLessThan(a.bytes);
  // The same sums, in another order where a reduction has more terms (zeros): rounding of values below 1.
  expect(maxError(a.logits, b.logits)).toBeLessThan(1e-6);
  expect(maxError(a.grads, b.grads)).toBeLessThan(1e-6);
});

test('in half precision: the plan counts the bytes, evaluation and recomputation give the same bits, and gradients are near those of f32', async () => {
  const g = gpu();
  const tuning = defaultMatmulTuning(g.info);
  const fours: VitConfig = { ...config, embedDim: 12, mlpRatio: 2 };
  const planned = ({ halves = true, training = true, recompute = false }) =>
    activationElements(fours, batch, training, { tuning, halves, recompute }).items.reduce(
      (sum, { elements }) => sum + Math.max(16, Math.ceil(elements / 4) * 16),
      0,
    );
  const single = await pass({ config: fours });
  const half = await pass({ config: fours, halves: true });
  const again = await pass({ config: fours, halves: true, recompute: true });
  const evaluation = await pass({ config: fours, halves: true, training: false });
  expect(evaluation.logits).toEqual(half.logits);
  expect([single, half, again, evaluation].map(({ bytes }) => bytes)).toEqual(
    [{ halves: false }, {}, { recompute: true }, { training: false }].map(planned),
  );
  expect([again.logits, again.grads]).toEqual([half.logits, half.grads]);
  expect(again.bytes).toBeLessThan(half.bytes);
  expect(half.bytes).toBeLessThan(single.bytes);
  // Logits below 1 of numbers good to 2^-11, through two blocks.
  expect(maxError(half.logits, single.logits)).toBeLessThan(2e-3);
  expect(relativeError(half.grads, single.grads)).toBeLessThan(2e-3);
  const [variant] = unitVariants(g.info);
  if (!variant) return;
  // On a device with matrix units: weights and the gradients of the residual stream are rounded, too.
  const products = stepProducts({ config: fours, batch, training: true, halves: true }).filter(({ shape }) => roundsOperands(shape.halves));
  const shapes = Object.fromEntries(products.map(({ shape }) => [matmulShapeKey(shape), [variant.id, 1] as const]));
  expect(products.length).toBe(3 * 4 * fours.depth);
  const unit = await pass({ config: fours, halves: true, tuning: { ...tuning, shapes } });
  expect(unit.grads).not.toEqual(half.grads);
  expect(maxError(unit.logits, single.logits)).toBeLessThan(3e-3);
  expect(relativeError(unit.grads, single.grads)).toBeLessThan(3e-3);
}, 60_000);

test('with mean pooling the loss changes along each gradient as that gradient says', async () => {
  const g = gpu();
  const tuning = defaultMatmulTuning(g.info);
  const pooled: VitConfig = { ...config, pool: 'avg' };
  const model = new VitModel(g, { config: pooled, batch, tuning, training: true });
  const { table } = model;
  const start = initialParameters(pooled, table, 3).map((v) => v * 3);
  const params = g.upload('params', start);
  const grads = g.buffers.allocate('grads', table.total * 4);
  g.write(model.images, uniform(batch * 15 * 15, 1));
  g.write(model.labels, new Int32Array([1, 0, 6]));
  const recorder = new Recorder(g, 'step');
  model.recordForward(recorder, params);
  model.recordLoss(recorder, 0);
  model.recordBackward(recorder, params, grads);
  const program = await recorder.build();
  const lossAt = async (arena: Float32Array<ArrayBuffer>): Promise<number> => {
    g.write(params, arena);
    program.run();
    return (await g.readFloats(model.losses)).subarray(0, batch).reduce((a, b) => a + b, 0) / batch;
  };
  await lossAt(start);
  const gradient = await g.readFloats(grads);
  for (const { name, offset, length } of table.entries) {
    const part = gradient.subarray(offset, offset + length);
    const norm = Math.sqrt(part.reduce((sum, v) => sum + v * v, 0));
    const h = 0.02;
    const moved = (sign: number) => start.map((v, i) => (i >= offset && i < offset + length ? v + (sign * h * gradient[i]!) / norm : v));
    if (norm === 0) throw new Error(`${name} has no gradient`);
    const slope = ((await lossAt(moved(1))) - (await lossAt(moved(-1)))) / (2 * h);
    // The difference of two losses near 2 is good to 2^-23, over 2 h to 6e-6; the third derivative adds h² of its size.
    expect(Math.abs(slope - norm), name).toBeLessThan(1e-4 + 0.01 * norm);
  }
  program.dispose();
  model.dispose();
  for (const view of [params, grads]) g.buffers.free(view);
});

test('operations of a step are those of its matrix products and attention', () => {
  const plan = { config: { ...config, depth: 1 }, batch: 1, training: false, allTokens: true };
  const [T, C, H] = [10, 9, 13];
  const products = 2 * T * (25 * C + 3 * C * C + C * C + 2 * C * H) + 2 * C * 7;
  expect(stepFlops(plan)).toEqual({ forward: products + 4 * T * T * C, backward: 0 });
  const training = stepFlops({ ...plan, training: true });
  // Two products for each of the forward ones, except that the images need no gradient; attention recomputes: 7 for 2.
  expect(training.backward).toBe(2 * products - 2 * T * 25 * C + 14 * T * T * C);
  // Two blocks, of which the first is computed again up to its last product.
  const deep = { config: { ...config, depth: 2 }, batch: 1, training: true, allTokens: true };
  const more = stepFlops({ ...deep, recompute: true }).backward - stepFlops(deep).backward;
  expect(more).toBe(2 * T * (3 * C * C + C * C + C * H) + 4 * T * T * C);
  expect(stepProducts({ ...plan, training: true }).map((p) => p.name)).toContain('blocks.0.mlp.fc1.dWeight');
});

test.each([{}, { pool: 'avg' as const }])(
  'a backward pass with fewer dispatches gives the same gradients, pooled as in %o',
  async (pool) => {
    const wide: VitConfig = { ...config, embedDim: 12, mlpRatio: 2, ...pool };
    const apart = { ...defaultMatmulTuning(gpu().info), fill: 0, fused: false };
    const together = { ...apart, fill: 4096, fused: true };
    // What no kernel writes would stay, and sums of more rows than there are would have some of it.
    const plain = await pass({ config: wide, tuning: apart, fill: 7 });
    const fused = await pass({ config: wide, tuning: together, fill: 7 });
    for (const { tuning, want } of [
      { tuning: apart, want: plain },
      { tuning: together, want: fused },
    ]) {
      // Layer by layer through a stage, the same bits arrive, and nothing where there are no parameters.
      const staged = await pass({ config: wide, tuning, staged: true });
      expect(staged.grads).toEqual(want.grads.map((v) => v + 0));
      expect(staged.beside).toBe(0);
    }
    expect(fused.dispatches).toBeLessThan(plain.dispatches);
    // The same sums in another order: rounding of values below 4.
    expect(Math.max(...plain.grads.map(Math.abs))).toBeLessThan(4);
    expect(maxError(fused.grads, plain.grads)).toBeLessThan(4e-6);
  },
);
