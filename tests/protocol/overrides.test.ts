import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultExperiment, differences, isLive, patchExperiment, type MatrixOverride } from '../../app/protocol/experiment';
import { checkOverrides, overrideFor, readOverrides, slicesOf, writeOverrides } from '../../app/protocol/overrides';
import { experimentFrom, parseShareUrl, toHash, toShareUrl } from '../../app/protocol/shareUrl';

const model = { embedDim: 48, depth: 3, mlpRatio: 2, fuseQkv: false };

test('the readable form: ranks, factors of λ, slices and what is left out', () => {
  const text = 'blocks.0.mlp.fc1.weight:r4,blocks.1.attn.qkv.weight(0-24):r6*0.5,blocks.1.mlp.fc2.weight:off,blocks.*.attn.proj.weight:*2';
  const list = readOverrides(text);
  expect(list).toEqual([
    { name: 'blocks.0.mlp.fc1.weight', rank: 4 },
    { name: 'blocks.1.attn.qkv.weight', rows: [0, 24], rank: 6, lambda: 0.5 },
    { name: 'blocks.1.mlp.fc2.weight', off: true },
    { name: 'blocks.*.attn.proj.weight', lambda: 2 },
  ]);
  expect(writeOverrides(list)).toBe(text);
  const experiment = patchExperiment(defaultExperiment(), { model: { depth: 3 }, method: { overrides: list } });
  expect(toHash(experiment)).toContain(`overrides=${text}`);
  expect(parseShareUrl(toHash(experiment))).toMatchObject({ experiment, problems: [] });
});

const weights = ['attn.qkv', 'attn.proj', 'mlp.fc1', 'mlp.fc2'];
const one: fc.Arbitrary<MatrixOverride> = fc
  .record({
    name: fc.oneof(
      fc
        .tuple(fc.constantFrom('0', '1', '2', '*'), fc.constantFrom(...weights))
        .map(([block, weight]) => `blocks.${block}.${weight}.weight`),
      fc.constantFrom('head.weight', 'patch_embed.proj.weight', 'blocks.1.attn.qkv.weight[2]'),
    ),
    rows: fc.option(fc.tuple(fc.nat(23), fc.integer({ min: 24, max: 48 })), { nil: undefined }),
    values: fc.oneof(
      fc.record({ off: fc.constant(true as const) }),
      fc.record({ rank: fc.nat(4096) }),
      fc.record({ lambda: fc.double({ min: 0, max: 1000, noNaN: true }), rank: fc.nat(100) }),
    ),
  })
  .map(({ name, rows, values }) => ({ name, ...(rows && !name.endsWith(']') ? { rows } : {}), ...values }));

test('any list that is accepted survives its link exactly, within 2 kB, every other setting changed', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(one, { maxLength: 12 }), (overrides) => {
      let experiment;
      try {
        experiment = patchExperiment(defaultExperiment(), { model: { depth: 3 }, method: { overrides } });
      } catch (error) {
        // A list that repeats or overlaps is refused by its matrix; nothing else may be wrong with these.
        expect((error as Error).message).toMatch(/twice|overlap|slices|characters/);
        return;
      }
      accepted++;
      const link = toShareUrl(experiment, 'https://example.org/');
      expect(parseShareUrl(link)).toMatchObject({ experiment, problems: [] });
      expect(new URL(link).hash).toBe(toHash(experiment));
    }),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(50);
});

test.each([
  [[{ name: 'blocks.7.mlp.fc1.weight', rank: 2 }], /blocks\.7\.mlp\.fc1\.weight: the model has 3 blocks/],
  [[{ name: 'blocks.0.mlp.fc3.weight', rank: 2 }], /no weight of the model/],
  [[{ name: 'blocks.0.mlp.fc1.weight' }], /nothing is said/],
  [[{ name: 'blocks.0.mlp.fc1.weight', rank: 1.5 }], /whole number from 0 to 4096, not 1\.5/],
  [[{ name: 'blocks.0.mlp.fc1.weight', lambda: -1 }], /from 0 to 1000, not -1/],
  [[{ name: 'blocks.0.mlp.fc1.weight', lambda: NaN }], /from 0 to 1000, not NaN/],
  [[{ name: 'blocks.0.mlp.fc1.weight', rows: [0, 97] }], /not within its 96 rows/],
  [[{ name: 'blocks.0.attn.qkv.weight[0]', rows: [0, 4] }], /without \[0\]/],
  [[{ name: 'blocks.0.mlp.fc1.weight[0]', rank: 1 }], /only a qkv weight/],
  [[{ name: 'blocks.0.mlp.fc1.weight', rank: 1, off: true }], /at once/],
  [[{ name: 'blocks.0.mlp.fc1.weight', speed: 1 }], /there is no "speed"/],
  [
    [
      { name: 'blocks.0.mlp.fc1.weight', rank: 1 },
      { name: 'blocks.0.mlp.fc1.weight', rank: 2 },
    ],
    /twice/,
  ],
  [
    [
      { name: 'blocks.0.attn.qkv.weight', rows: [0, 30] },
      { name: 'blocks.*.attn.qkv.weight', rows: [29, 40] },
    ],
    /blocks\.0\.attn\.qkv\.weight\(0-30\) and blocks\.\*\.attn\.qkv\.weight\(29-40\) overlap/,
  ],
  [
    [
      { name: 'blocks.0.attn.qkv.weight', rows: [0, 30] },
      { name: 'blocks.0.attn.qkv.weight[1]', rank: 3 },
    ],
    /cut into slices/,
  ],
  ['blocks.0.mlp.fc1.weight:x4', /"blocks\.0\.mlp\.fc1\.weight:x4" is no override/],
  ['blocks.0.mlp.fc1.weight:*', /not NaN|no override/],
  [7, /must be a list/],
])('%j is refused, naming the matrix', (list, message) => {
  expect(() => checkOverrides(list, model)).toThrow(message);
  expect(() => checkOverrides(list, model)).toThrow(expect.objectContaining({ field: 'method.overrides' }));
});

describe('which entry counts', () => {
  const list = checkOverrides(
    'blocks.*.attn.qkv.weight:r9,blocks.1.attn.qkv.weight:r7,blocks.*.attn.qkv.weight[2]:r5,blocks.1.attn.qkv.weight[2]:r3,blocks.1.attn.qkv.weight[0]:*2',
    model,
  );
  test('the most specific one, alone', () => {
    expect(overrideFor(list, 'blocks.1.attn.qkv.weight[0]')).toEqual({ name: 'blocks.1.attn.qkv.weight[0]', lambda: 2 });
    expect(overrideFor(list, 'blocks.1.attn.qkv.weight[1]')?.rank).toBe(7);
    expect(overrideFor(list, 'blocks.1.attn.qkv.weight[2]')?.rank).toBe(3);
    expect(overrideFor(list, 'blocks.0.attn.qkv.weight[2]')?.rank).toBe(5);
    expect(overrideFor(list, 'blocks.0.attn.qkv.weight[0]')?.rank).toBe(9);
    expect(overrideFor(list, 'blocks.0.mlp.fc1.weight')).toBeUndefined();
  });
  test('slices of one block beside those of all; equal rows of its own count', () => {
    const slices = checkOverrides(
      'blocks.*.mlp.fc1.weight(0-8):r1,blocks.2.mlp.fc1.weight(0-8):r2,blocks.2.mlp.fc1.weight(8-16):r3',
      model,
    );
    expect(slicesOf(slices, 'blocks.2.mlp.fc1.weight').map((o) => o.rank)).toEqual([2, 3]);
    expect(slicesOf(slices, 'blocks.1.mlp.fc1.weight').map((o) => o.rank)).toEqual([1]);
  });
});

test('ranks and factors of λ change in a running run; slices, and LoRA’s ranks, do not', () => {
  const base = patchExperiment(defaultExperiment(), { method: { name: 'adamq3r' } });
  const live = (overrides: MatrixOverride[], name: 'adamq3r' | 'lora' = 'adamq3r'): boolean => {
    const from = { ...base, method: { ...base.method, name } };
    return differences(from, patchExperiment(from, { method: { overrides } })).every(isLive);
  };
  const name = 'blocks.0.mlp.fc1.weight';
  expect(live([{ name, rank: 3, lambda: 2 }])).toBe(true);
  expect(live([{ name, off: true }])).toBe(false);
  expect(live([{ name, rows: [0, 4] }])).toBe(false);
  expect(live([{ name, lambda: 2 }], 'lora')).toBe(true);
  expect(live([{ name, rank: 3 }], 'lora')).toBe(false);
});

test('a bad override in a link is named and nothing of it is applied; a script gets a ConfigError', () => {
  const { experiment, problems } = parseShareUrl('#v=1&lr=0.002&overrides=blocks.99.mlp.fc1.weight:r4');
  expect(problems.map((p) => p.field)).toEqual(['overrides']);
  expect(experiment.method.overrides).toEqual([]);
  expect(experiment.train.lr).toBe(0.002);
  expect(() => experimentFrom({ method: { overrides: [{ name: 'x', rank: 1 }] } }, defaultExperiment())).toThrow(/no weight of the model/);
  expect(experimentFrom({ method: { overrides: 'head.weight:off' as never } }, defaultExperiment()).method.overrides).toEqual([
    { name: 'head.weight', off: true },
  ]);
});
