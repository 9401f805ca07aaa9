import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError, defaultExperiment, parseExperiment } from '../../app/protocol/experiment';
import { experimentFrom, parseShareUrl, toHash, toShareUrl } from '../../app/protocol/shareUrl';
import { experiments } from './experiments';

test('any experiment survives its link exactly, within 2 kB', () => {
  fc.assert(
    fc.property(experiments, (experiment) => {
      const link = toShareUrl(experiment, 'https://example.org/q3r/#old');
      const { experiment: back, problems } = parseShareUrl(link);
      expect(problems).toEqual([]);
      expect(back).toEqual(experiment);
      expect(link.length).toBeLessThan(2048);
    }),
    { numRuns: 300 },
  );
});

test('the default experiment has the shortest link', () => {
  expect(toHash(defaultExperiment())).toBe('#v=1');
});

test.each([
  ['#v=1&lambda=-3', 'lambda', /from 0 to 1000/],
  ['#v=1&lambda=much', 'lambda', /must be a number/],
  ['#v=1&depth=2.5', 'depth', /whole number/],
  ['#v=1&data=imagenet', 'data', /one of shapes, cifar10/],
  ['#v=1&method=sgd', 'method', /adamq3r/],
  ['#v=1&numHeads=5', 'numHeads', /divide the width/],
  ['#v=1&embedDim=63', 'embedDim', /divide the width/],
  ['#v=1&patchSize=5', 'patchSize', /divide the image/],
  ['#v=1&targetModules=qkv,qkv', 'targetModules', /twice/],
  ['#v=1&targetModules=qkv,attn', 'targetModules', /may hold/],
  ['#v=1&colour=red', 'colour', /no setting/],
  ['#v=1&lr', 'lr', /name=value/],
  ['#v=1&lr=%E0%A4%A', 'lr=%E0%A4%A', /name=value/],
  ['#v=1&seed=1&seed=2', 'seed', /twice/],
  ['#v=9', 'v', /version/],
  [`#v=1&lr=${'1'.repeat(3000)}`, 'link', /characters long/],
])('%.40s is named and not applied', (hash, field, message) => {
  const { experiment, problems } = parseShareUrl(hash);
  expect(problems).toHaveLength(1);
  expect(problems[0]!.field).toBe(field);
  expect(problems[0]!.message).toMatch(message);
  if (field !== 'seed') expect(experiment).toEqual(defaultExperiment());
});

test('good values beside a bad one are applied', () => {
  const { experiment, problems } = parseShareUrl('#v=1&lr=0.002&lambda=-1&method=adamw');
  expect(problems.map((p) => p.field)).toEqual(['lambda']);
  expect(experiment.train.lr).toBe(0.002);
  expect(experiment.method.name).toBe('adamw');
});

test('width and heads that only fit together are applied together', () => {
  const { experiment, problems } = parseShareUrl('#v=1&embedDim=48&numHeads=3');
  expect(problems).toEqual([]);
  expect(experiment.model).toMatchObject({ embedDim: 48, numHeads: 3 });
});

test('random text never throws and never changes a field without a valid value', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      const { experiment } = parseShareUrl(`#${text}`);
      expect(parseExperiment(experiment)).toEqual(experiment);
    }),
    { numRuns: 500 },
  );
});

test('a script gets a ConfigError that names the field', () => {
  const base = defaultExperiment();
  expect(() => experimentFrom('#v=1&lambda=-1', base)).toThrow(ConfigError);
  expect(() => experimentFrom({ train: { lr: -1 } }, base)).toThrow(expect.objectContaining({ field: 'train.lr' }));
  expect(() => experimentFrom({ train: { speed: 1 } } as never, base)).toThrow(expect.objectContaining({ field: 'train.speed' }));
  expect(() => experimentFrom('hello', base)).toThrow(/not a share link/);
  expect(experimentFrom({ method: { lambda: 0.5 } }, base).method.lambda).toBe(0.5);
  expect(base).toEqual(defaultExperiment());
});
