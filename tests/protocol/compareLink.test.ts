import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gridParts, pairParts, readCompareLink } from '../../app/protocol/compareLink';
import { defaultExperiment, patchExperiment } from '../../app/protocol/experiment';
import { linkParts } from '../../app/protocol/linkParts';
import { parseShareUrl, toHash } from '../../app/protocol/shareUrl';
import { experiments } from './experiments';

const read = (link: string) => {
  const { experiment, compare } = linkParts(link);
  return readCompareLink(experiment, compare ?? []);
};

test('any pair survives its link exactly, and A alone is what an older page reads', () =>
  fc.assert(
    fc.property(experiments, experiments, (a, b) => {
      const link = [toHash(a), 'lock=lr', ...pairParts(a, b)].join('&');
      expect(read(link)).toEqual({ link: { tab: 'ab', b }, problems: [] });
      expect(parseShareUrl(link)).toMatchObject({ experiment: a, problems: [], locks: { lock: ['lr'] } });
    }),
    { numRuns: 200 },
  ));

test('the link of a pair names what differs, and nothing else', () => {
  const a = defaultExperiment();
  const b = patchExperiment(a, { method: { lambda: 0 }, train: { seed: 9 } });
  expect(pairParts(a, b)).toEqual(['compare=ab', 'b.lambda=0', 'b.seed=9']);
  expect(pairParts(a, a)).toEqual(['compare=ab']);
});

test('a grid survives its link', () => {
  const grid = {
    across: { path: 'method.targetRank', values: '0.1, 0.2' },
    up: { path: 'dataset', values: 'shapes,mnist' },
    seeds: '1, 2',
  };
  const parts = gridParts(grid);
  expect(parts).toEqual(['compare=grid', 'up=data:shapes,mnist', 'across=targetRank:0.1,0.2', 'seeds=1,2']);
  expect(read(`#v=1&steps=50&${parts.join('&')}`)).toEqual({
    link: { tab: 'grid', ...grid, up: { path: 'dataset', values: 'shapes, mnist' } },
    problems: [],
  });
});

test.each([
  ['compare=both', 'compare', /must be ab or grid, not "both"/],
  ['compare=ab&b.lambda=much', 'b.lambda', /must be a number/],
  ['compare=ab&b.colour=red', 'b.colour', /no setting/],
  ['compare=ab&b.lambda=1&b.lambda=2', 'b.lambda', /twice/],
  ['compare=ab&up=lambda:1', 'up', /belongs to a grid/],
  ['compare=grid&up=lambda:0', 'across', /expected a setting and its values/],
  ['compare=grid&across=colour:1&up=lambda:0', 'across', /no setting "colour"/],
  ['compare=grid&across=lr:&up=lambda:0', 'across', /names no values/],
  ['compare=grid&across=lr:1&up=lambda:0&b.lr=1', 'b.lr', /belongs to A and B/],
])('%s is told, naming the part', (parts, field, message) => {
  const { problems } = read(`#v=1&${parts}`);
  expect(problems.map((p) => p.field)).toContain(field);
  expect(problems.find((p) => p.field === field)!.message).toMatch(message);
});

test('without compare= the same names are no settings, as ever', () => {
  expect(linkParts('#v=1&b.lambda=1').compare).toBeUndefined();
  expect(parseShareUrl('#v=1&b.lambda=1&seeds=1').problems.map((p) => p.field)).toEqual(['b.lambda', 'seeds']);
});
