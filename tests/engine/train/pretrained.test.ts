import { expect, test } from 'vitest';
import { initialParameters, vitParameters, type VitConfig } from '../../../app/engine/model/parameters';
import { resolveModel } from '../../../app/engine/train/datasets';
import { fitPretrained } from '../../../app/engine/train/pretrained';
import { resampleGrid, resampleWeights } from '../../../app/engine/train/resample';
import { openSafetensors, writeSafetensors, type TensorFile, type TensorToWrite } from '../../../app/engine/train/safetensors';
import { tensorsOf } from '../../../app/engine/train/weights';
import { halfFile } from '../../support/halfFile';
import { maxError, uniform, useGpu } from '../../support/gpu';
import { makeRun, tiny } from './support';

const gpu = useGpu();
const base = tiny();

/** timm's layout of a model that is not the experiment's: 6 × 6 patches of 8 pixels, 7 classes. */
const other: VitConfig = { imageSize: 48, inChannels: 3, numClasses: 7, patchSize: 8, embedDim: 64, depth: 3, numHeads: 1, mlpRatio: 4 };
function tensors(config: VitConfig, seed = 3): Map<string, TensorToWrite> {
  const table = vitParameters(config);
  const arena = initialParameters(config, table, seed);
  // Biases and norms that are not the initial ones, so that each has to arrive.
  uniform(table.total, seed, -0.1, 0.1).forEach((x, i) => (arena[i]! += x));
  return new Map(tensorsOf(arena, table));
}
const fileOf = (map: ReadonlyMap<string, TensorToWrite>, metadata?: Record<string, string>): TensorFile =>
  openSafetensors(writeSafetensors(map, metadata ?? { format: 'pt' }));
const renamed = (map: ReadonlyMap<string, TensorToWrite>, name: (old: string) => string): Map<string, TensorToWrite> =>
  new Map(Array.from(map, ([old, tensor]) => [name(old), tensor]));

/** Position embeddings by Pillow 9.4, Image.resize of a mode F image with BICUBIC, whose filter PyTorch's antialiasing follows. */
const PILLOW: readonly [number, number, readonly number[]][] = [
  [
    3,
    5,
    [
      1.1445884, 1.5202808, 2.02279, 1.6583668, 1.3585671, 1.1119982, 1.46664, 1.9110534, 1.3937582, 0.9990602, 1.0561283, 1.3526744,
      1.6623372, 0.8712162, 0.3100586, 1.016669, 1.1603428, 1.1961799, 0.1519364, -0.545962, 0.9968658, 1.0456414, 0.9150187, -0.2659656,
      -1.0356061,
    ],
  ],
  [
    7,
    4,
    [
      1.552008, 0.6659205, -0.5463517, 0.9199721, 0.9770543, -0.5185618, -0.8671033, 0.5017909, 0.3806856, -0.2511997, -1.0742548,
      0.3144227, 0.2668985, -0.4624164, -1.2656882, 0.2200726,
    ],
  ],
  [
    14,
    4,
    [
      0.4609772, -0.1094108, 0.2059036, 0.0889307, -0.2114493, -0.4975003, -0.604391, -0.4507591, -0.1737063, -0.8819625, -0.3980206,
      -0.5980577, -0.7794898, -1.2171412, -1.0868683, -1.1116782,
    ],
  ],
];

test.each(PILLOW)('a grid of side %i on one of side %i is what Pillow makes of it', (from, to, want) => {
  const value = (x: number, y: number): number => Math.sin(1.3 * x + 0.2) + Math.cos(0.7 * y * x) - 0.1 * y;
  // Two vectors per place, the second the negative of the first, so that a mix-up of places and components shows.
  const grid = Float32Array.from({ length: 2 * from * from }, (_, i) => {
    const place = i >> 1;
    return (i & 1 ? -1 : 1) * value(place % from, Math.floor(place / from));
  });
  const got = resampleGrid(grid, from, 2, to);
  // Pillow rounds to float32 after each of its two passes: 1e-6 on values of size 2.
  expect(
    maxError(
      got.filter((_, i) => i % 2 === 0),
      want,
    ),
  ).toBeLessThan(1e-6);
  expect(
    maxError(
      got.filter((_, i) => i % 2 === 1),
      want.map((x) => -x),
    ),
  ).toBeLessThan(1e-6);
});

test('resampling keeps constants, keeps mirror images, and leaves an equal grid as it is', () => {
  for (const [from, to] of [
    [1, 3],
    [3, 1],
    [7, 5],
    [5, 16],
  ] as const) {
    const weights = resampleWeights(from, to);
    for (const row of weights) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    weights.forEach((row, i) => expect(maxError(row, weights[to - 1 - i]!.toReversed())).toBeLessThan(1e-12));
  }
  const grid = uniform(2 * 9, 1);
  expect(resampleGrid(grid, 3, 2, 3)).toEqual(grid);
});

test('another model: its shape is read, positions are interpolated, the head is fresh, all else is taken as it is', () => {
  const file = tensors(other);
  const { experiment, arena, notes } = fitPretrained(fileOf(file), base);
  expect(experiment.model).toEqual({ ...base.model, patchSize: 8, embedDim: 64, depth: 3, numHeads: 1, mlpRatio: 4 });
  expect({ ...experiment, model: base.model }).toEqual(base);
  const config = resolveModel(experiment);
  const table = vitParameters(config);
  const fresh = initialParameters(config, table, experiment.train.seed);
  const part = (name: string, from = arena) => {
    const { offset, length } = table.byName.get(name)!;
    return from.slice(offset, offset + length);
  };
  for (const { name } of table.entries) {
    if (name.startsWith('head.')) expect(part(name), name).toEqual(part(name, fresh));
    else if (name !== 'pos_embed') expect(part(name), name).toEqual(file.get(name)!.data);
  }
  const positions = part('pos_embed');
  const before = file.get('pos_embed')!.data as Float32Array;
  expect(positions.length).toBe(17 * 64);
  expect(positions.slice(0, 64)).toEqual(before.slice(0, 64));
  expect(positions.slice(64)).toEqual(resampleGrid(before.slice(64), 6, 64, 4));
  expect(notes).toEqual([
    'The file does not say how many heads it has: 1 assumed, the width / 64.',
    'Position embeddings interpolated from 6 × 6 to 4 × 4 patches.',
    'The head for 7 classes is replaced by a fresh one for 10.',
  ]);
});

test('for images of the visitor’s own, the model has their size and classes as they were loaded', () => {
  const shape = { imageSize: 64, channels: 3, classes: ['a', 'b', 'c'] };
  const own = { ...base, dataset: 'folder' as const };
  const { experiment, arena, notes } = fitPretrained(fileOf(tensors(other)), own, {}, (e) => resolveModel(e, shape));
  expect(arena.length).toBe(vitParameters(resolveModel(experiment, shape)).total);
  expect(notes).toContain('The head for 7 classes is replaced by a fresh one for 3.');
});

test('the same model under a prefix, in half precision, beside an optimizer: the logits are those of the original', async () => {
  const own = tiny({ model: { depth: 1 } });
  const config = resolveModel(own);
  const run = await makeRun(gpu(), own);
  const table = vitParameters(config);
  const arena = initialParameters(config, table, 9);
  await run.writeParameters(arena);
  const images = uniform(3 * 3 * 32 * 32, 5);
  const want = await run.predict(images);
  const scale = Math.max(...want.map(Math.abs));

  const named = renamed(tensorsOf(arena, table), (name) => `module.${name}`);
  const exact = fitPretrained(fileOf(new Map([...named, ['optimizer.step', { shape: [1], data: new Int32Array([7]) }]])), base);
  expect(exact.experiment.model).toEqual(own.model);
  expect(exact.notes.at(-1)).toBe('Left out, as no part of the model: optimizer.step.');
  await run.writeParameters(exact.arena);
  expect(await run.predict(images)).toEqual(want);

  for (const [dtype, digits] of [
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
  ] as const) {
    const half = fitPretrained(openSafetensors(halfFile(named as never, dtype)), base);
    await run.writeParameters(half.arena);
    // Each weight is off by half a unit of its last place at most; a few hundred of them add up with random signs.
    expect(maxError(await run.predict(images), want), dtype).toBeLessThan(20 * digits * scale);
    expect(await run.predict(images), dtype).not.toEqual(want);
  }
  await run.dispose();
});

test('grey images: the patch projection is summed over colours, so that a grey picture gives the same logits', async () => {
  const colour = tiny({ model: { depth: 1 } });
  const grey = tiny({ model: { depth: 1, inChannels: 1 } });
  const table = vitParameters(resolveModel(colour));
  const arena = initialParameters(resolveModel(colour), table, 4);
  const pixels = uniform(2 * 1024, 6);
  const images = Float32Array.from({ length: 3 * pixels.length }, (_, i) => pixels[Math.floor(i / 3072) * 1024 + (i % 1024)]!);
  const [a, b] = [await makeRun(gpu(), colour), await makeRun(gpu(), grey)];
  await a.writeParameters(arena);
  const fitted = fitPretrained(fileOf(tensorsOf(arena, table)), grey);
  expect(fitted.notes.join(' ')).toMatch(/summed over its 3 colours/);
  await b.writeParameters(fitted.arena);
  const want = await a.predict(images);
  // The sum is taken in another order: float32 rounding only.
  expect(maxError(await b.predict(pixels), want)).toBeLessThan(1e-5 * Math.max(1, ...want.map(Math.abs)));
  const back = fitPretrained(fileOf(tensorsOf(fitted.arena, vitParameters(resolveModel(grey)))), colour);
  await a.writeParameters(back.arena);
  expect(maxError(await a.predict(images), want)).toBeLessThan(1e-5 * Math.max(1, ...want.map(Math.abs)));
  await a.dispose();
  await b.dispose();
});

test('LayerScale is folded in, a distilled model loses its extra token, positions without a class row leave it zero', () => {
  const map = tensors(other);
  const gamma = uniform(64, 8);
  const plain = fitPretrained(fileOf(map), base);
  const table = vitParameters(resolveModel(plain.experiment));
  const at = (arena: Float32Array, name: string, i: number) => arena[table.byName.get(name)!.offset + i]!;
  const scaled = fitPretrained(fileOf(new Map([...map, ['blocks.1.ls2.gamma', { shape: [64], data: gamma }]])), base);
  expect(at(scaled.arena, 'blocks.1.mlp.fc2.weight', 5 * 256 + 9)).toBe(
    Math.fround(at(plain.arena, 'blocks.1.mlp.fc2.weight', 5 * 256 + 9) * gamma[5]!),
  );
  expect(at(scaled.arena, 'blocks.1.mlp.fc2.bias', 5)).toBe(Math.fround(at(plain.arena, 'blocks.1.mlp.fc2.bias', 5) * gamma[5]!));
  expect(scaled.notes).toEqual(plain.notes);

  const rows = map.get('pos_embed')!.data as Float32Array;
  const distilled = new Map(map)
    .set('dist_token', { shape: [1, 1, 64], data: new Float32Array(64) })
    .set('head_dist.weight', { shape: [7, 64], data: new Float32Array(7 * 64) })
    .set('pos_embed', { shape: [1, 38, 64], data: Float32Array.from([...rows.slice(0, 64), ...new Float32Array(64), ...rows.slice(64)]) });
  const d = fitPretrained(fileOf(distilled), base);
  expect(d.arena).toEqual(plain.arena);
  expect(d.notes.at(-1)).toBe('Left out, as nothing here uses it: dist_token, head_dist.weight.');

  const noClass = fitPretrained(fileOf(new Map(map).set('pos_embed', { shape: [1, 36, 64], data: rows.slice(64) })), base);
  expect(at(noClass.arena, 'pos_embed', 3)).toBe(0);
  expect(at(noClass.arena, 'pos_embed', 64 + 3)).toBe(at(plain.arena, 'pos_embed', 64 + 3));
});

test('heads: from our own metadata, as asked, by the width, or as set', () => {
  const heads = (embedDim: number, o?: { numHeads?: number }, metadata?: Record<string, string>) =>
    fitPretrained(fileOf(tensors({ ...other, embedDim, depth: 1 }), metadata), base, o).experiment.model.numHeads;
  expect(heads(128)).toBe(2);
  expect(heads(128, { numHeads: 4 })).toBe(4);
  expect(heads(128, {}, { 'q3r.experiment': '{"model":{"numHeads":8}}' })).toBe(8);
  expect(heads(128, {}, { 'q3r.experiment': 'not JSON' })).toBe(2);
  expect(heads(96)).toBe(base.model.numHeads);
  expect(() => heads(128, { numHeads: 3 })).toThrow('3 heads do not divide the width of 128 that the file has.');
  expect(() => heads(33)).toThrow(/2 do not divide its width of 33/);
});

test('what cannot be used is refused by name', () => {
  const map = tensors(other);
  const refuse = (change: (m: Map<string, TensorToWrite>) => void): string => {
    const changed = new Map(map);
    change(changed);
    try {
      fitPretrained(fileOf(changed), base);
    } catch (error) {
      return (error as Error).message;
    }
    return 'loaded';
  };
  expect(refuse((m) => m.delete('blocks.2.attn.qkv.bias'))).toBe('The file has no tensor blocks.2.attn.qkv.bias.');
  expect(refuse((m) => m.delete('cls_token'))).toBe('The file has no tensor cls_token.');
  expect(refuse((m) => m.delete('patch_embed.proj.weight'))).toMatch(/no tensor patch_embed\.proj\.weight.*blocks\.0\.attn\.qkv\.weight/);
  expect(refuse((m) => m.set('blocks.1.mlp.fc1.weight', { shape: [128, 64], data: new Float32Array(8192) }))).toBe(
    'blocks.1.mlp.fc1.weight is [128, 64] in the file; the model needs [256, 64].',
  );
  expect(refuse((m) => m.set('norm.bias', { shape: [64], data: new Float32Array(64).fill(Infinity) }))).toMatch(
    /norm\.bias holds Infinity at 0/,
  );
  expect(refuse((m) => m.set('pos_embed', { shape: [1, 40, 64], data: new Float32Array(2560) }))).toMatch(
    /pos_embed is \[1, 40, 64\]; expected/,
  );
  expect(refuse((m) => m.set('norm.bias', { shape: [64], data: new Int32Array(64) }))).toMatch(/norm\.bias is of type I32/);
  const hub = new Map([['vit.embeddings.patch_embeddings.projection.weight', map.get('patch_embed.proj.weight')!]]);
  expect(() => fitPretrained(fileOf(hub), base)).toThrow(/looks like the layout of the Transformers library/);
  // A patch that does not divide the image is the experiment's own refusal, and names the field.
  const patch7 = tensors({ ...other, imageSize: 42, patchSize: 7, depth: 1 });
  expect(() => fitPretrained(fileOf(patch7), base)).toThrow(/Patch size must divide the image side of 32 pixels, and 7 does not/);
  // What changes the function is said.
  const normed = new Map(map).set('blocks.0.attn.q_norm.weight', { shape: [64], data: new Float32Array(64) });
  expect(fitPretrained(fileOf(normed), base).notes.join(' ')).toMatch(/no blocks\.0\.attn\.q_norm\.weight; without it the outputs are not/);
});

test('the last norm goes by either name', () => {
  const map = renamed(tensors(other), (name) => name.replace(/^norm\./, 'fc_norm.'));
  const plain = fitPretrained(fileOf(tensors(other)), base);
  const mean = fitPretrained(fileOf(map), base);
  expect(mean.experiment.model.pool).toBe('avg');
  expect(mean.arena).toEqual(plain.arena);
});
