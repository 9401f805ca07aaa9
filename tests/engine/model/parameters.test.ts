import { expect, test } from 'vitest';
import { weightMatrices } from '../../../app/engine/model/matrices';
import { initialParameters, vitParameters, type VitConfig } from '../../../app/engine/model/parameters';
import { goldenTensors } from '../../support/golden';

const config: VitConfig = {
  imageSize: 32,
  inChannels: 3,
  numClasses: 10,
  patchSize: 8,
  embedDim: 48,
  depth: 2,
  numHeads: 3,
  mlpRatio: 2,
};

test('names and shapes are those of the PyTorch model', async () => {
  const golden = [...(await goldenTensors('vit.safetensors'))].filter(([name]) => name.startsWith('vit_p8.param.'));
  const want = Object.fromEntries(golden.map(([name, { shape }]) => [name.replace('vit_p8.param.', ''), shape]));
  const table = vitParameters(config);
  expect(Object.fromEntries(table.entries.map((e) => [e.name, e.shape]))).toEqual(want);
  expect(table.count).toBe(golden.reduce((sum, [, { data }]) => sum + data.length, 0));
});

test('entries start at multiples of 64 and do not overlap', () => {
  const table = vitParameters({ ...config, embedDim: 9, mlpRatio: 2.5, numClasses: 7 });
  let end = 0;
  for (const { name, shape, offset, length } of table.entries) {
    expect(offset % 64, name).toBe(0);
    expect(offset).toBeGreaterThanOrEqual(end);
    expect(length).toBe(shape.reduce((a, b) => a * b, 1));
    end = offset + length;
  }
  expect(table.total).toBeGreaterThanOrEqual(end);
  // mlpRatio 2.5 of 9 is 22.5: the hidden width is truncated as in timm.
  expect(table.byName.get('blocks.0.mlp.fc1.weight')!.shape).toEqual([22, 9]);
});

test('with mean pooling the norm before the head is fc_norm, as in timm, and starts at one', () => {
  const [token, mean] = (['token', 'avg'] as const).map((pool) => vitParameters({ ...config, pool }));
  const names = mean!.entries.map((e) => e.name);
  expect(names).toEqual(token!.entries.map((e) => e.name.replace(/^norm\./, 'fc_norm.')));
  expect(names).toContain('fc_norm.weight');
  const arena = initialParameters({ ...config, pool: 'avg' }, mean!, 1);
  const { offset, length } = mean!.byName.get('fc_norm.weight')!;
  expect([...new Set(arena.subarray(offset, offset + length))]).toEqual([1]);
  expect(weightMatrices({ ...config, pool: 'avg' }, mean!, false)).toEqual(weightMatrices(config, token!, false));
});

test('a patch or head count that does not divide is refused', () => {
  expect(() => vitParameters({ ...config, patchSize: 5 })).toThrow(/patch of 5/);
  expect(() => vitParameters({ ...config, numHeads: 5 })).toThrow(/5 heads/);
});

test('initial parameters follow timm and depend on the seed alone', () => {
  const table = vitParameters(config);
  const a = initialParameters(config, table, 1);
  expect(initialParameters(config, table, 1)).toEqual(a);
  expect(initialParameters(config, table, 2)).not.toEqual(a);
  const values = (name: string): Float32Array => {
    const { offset, length } = table.byName.get(name)!;
    return a.subarray(offset, offset + length);
  };
  const std = (x: Float32Array): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);
  // The sample deviation of n normals errs by 1/√(2n): 1.2 % for the 3456 entries of the smallest weight; 4 of those.
  for (const name of ['pos_embed', 'blocks.0.attn.qkv.weight', 'blocks.1.mlp.fc2.weight', 'head.weight'])
    expect(Math.abs(std(values(name)) / 0.02 - 1), name).toBeLessThan(4 / Math.sqrt(2 * values(name).length));
  expect(std(values('cls_token')) / 1e-6).toBeLessThan(2);
  expect(std(values('cls_token'))).toBeGreaterThan(0);
  const bound = 1 / Math.sqrt(3 * 8 * 8);
  for (const name of ['patch_embed.proj.weight', 'patch_embed.proj.bias']) {
    const x = values(name);
    expect(Math.max(...x.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.abs(std(x) / (bound / Math.sqrt(3)) - 1)).toBeLessThan(2 / Math.sqrt(x.length));
  }
  for (const name of ['blocks.0.attn.qkv.bias', 'blocks.1.norm2.bias', 'norm.bias', 'head.bias'])
    expect(
      values(name).every((v) => v === 0),
      name,
    ).toBe(true);
  for (const name of ['blocks.0.norm1.weight', 'norm.weight'])
    expect(
      values(name).every((v) => v === 1),
      name,
    ).toBe(true);
  // Different tensors draw different numbers.
  expect([...values('blocks.0.attn.proj.weight')]).not.toEqual([...values('blocks.1.attn.proj.weight')]);
});

test('weight matrices cover the qkv weight as three or as one', () => {
  const table = vitParameters(config);
  const split = weightMatrices(config, table, false);
  expect(split.filter((m) => m.block === 0).map((m) => [m.name, m.kind, m.rows, m.cols])).toEqual([
    ['blocks.0.attn.qkv.weight[0]', 'q', 48, 48],
    ['blocks.0.attn.qkv.weight[1]', 'k', 48, 48],
    ['blocks.0.attn.qkv.weight[2]', 'v', 48, 48],
    ['blocks.0.attn.proj.weight', 'proj', 48, 48],
    ['blocks.0.mlp.fc1.weight', 'fc1', 96, 48],
    ['blocks.0.mlp.fc2.weight', 'fc2', 48, 96],
  ]);
  const qkv = table.byName.get('blocks.1.attn.qkv.weight')!;
  expect(split.filter((m) => m.block === 1 && m.module === 'qkv').map((m) => m.offset - qkv.offset)).toEqual([0, 2304, 4608]);
  expect(
    weightMatrices(config, table, true)
      .filter((m) => m.kind === 'qkv')
      .map((m) => [m.rows, m.cols]),
  ).toEqual([
    [144, 48],
    [144, 48],
  ]);
  expect(split.filter((m) => m.block < 0).map((m) => [m.name, m.kind, m.rows, m.cols])).toEqual([
    ['patch_embed.proj.weight', 'patch_embed', 48, 192],
    ['head.weight', 'head', 10, 48],
  ]);
});
