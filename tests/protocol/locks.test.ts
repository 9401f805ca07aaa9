import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultExperiment, patchExperiment, valueAt, type Experiment } from '../../app/protocol/experiment';
import {
  anyLocks,
  LOCKABLE,
  lockedChanges,
  LockError,
  NO_LOCKS,
  PARTS,
  partShown,
  readLocks,
  requireUnlocked,
  standing,
  writeLocks,
  type Locks,
} from '../../app/protocol/locks';

const keys = fc.subarray(LOCKABLE.map(({ key }) => key));
const someLocks: fc.Arbitrary<Locks> = fc.record({ lock: keys, hide: keys, only: fc.option(keys, { nil: null }) });
/** Experiments that differ from the default in a few numbers and choices. */
const changed: fc.Arbitrary<Experiment> = fc
  .record({
    lambda: fc.constantFrom(0, 0.5, 5),
    targetRank: fc.constantFrom(0.1, 0.25),
    lr: fc.constantFrom(1e-3, 1e-4),
    seed: fc.constantFrom(1, 2),
    depth: fc.constantFrom(2, 3),
    dataset: fc.constantFrom('shapes' as const, 'mnist' as const),
  })
  .map(({ lambda, targetRank, lr, seed, depth, dataset }) =>
    patchExperiment(defaultExperiment(), {
      dataset,
      model: { depth, patchSize: 4 },
      train: { lr, seed },
      method: { name: 'adamq3r', lambda, targetRank },
    }),
  );

test('no experiment that changes a setting which is not free gets past', () =>
  fc.assert(
    fc.property(someLocks, changed, changed, (locks, from, next) => {
      const differ = LOCKABLE.filter(({ path }) => {
        const read = (e: Experiment) => JSON.stringify(path === 'dataset' ? e.dataset : valueAt(e, path));
        return read(from) !== read(next);
      });
      const forbidden = differ.filter(({ path }) => standing(locks, path) !== 'free').map(({ path }) => path);
      expect(lockedChanges(locks, from, next)).toEqual(forbidden);
      if (forbidden.length === 0) requireUnlocked(locks, from, next);
      else expect(() => requireUnlocked(locks, from, next)).toThrow(LockError);
    }),
    { numRuns: 500 },
  ));

test('only λ: everything else is hidden, and so is all that would bring settings of its own', () => {
  const locks: Locks = { ...NO_LOCKS, only: ['lambda'] };
  for (const { key, path } of LOCKABLE) expect(standing(locks, path), key).toBe(key === 'lambda' ? 'free' : 'hidden');
  expect(PARTS.filter(({ key }) => !partShown(locks, key)).map(({ key }) => key)).toEqual(['presets', 'command', 'weights', 'compare']);
});

test('a locked rank or λ locks what single matrices have of their own', () => {
  expect(standing({ ...NO_LOCKS, lock: ['lambda'] }, 'method.overrides')).toBe('locked');
  expect(standing({ ...NO_LOCKS, lock: ['lr'] }, 'method.overrides')).toBe('free');
});

test('locks come back from their part of a link; unknown names are told', () =>
  fc.assert(
    fc.property(someLocks, (locks) => {
      const problems: { field: string; message: string }[] = [];
      let read = NO_LOCKS;
      for (const part of writeLocks(locks)) {
        const [key, text] = part.split('=') as ['lock' | 'hide' | 'only', string];
        read = readLocks(read, key, text, problems);
      }
      expect(problems).toEqual([]);
      expect(read).toEqual(locks);
      expect(anyLocks(read)).toBe(anyLocks(locks));
    }),
  ));

test('a name that is no setting is named, and a part of the page cannot be locked', () => {
  const problems: { field: string; message: string }[] = [];
  expect(readLocks(NO_LOCKS, 'lock', 'lr,nonsense,curves', problems)).toEqual({ ...NO_LOCKS, lock: ['lr'] });
  expect(problems.map((p) => p.message)).toEqual([
    expect.stringContaining('There is no setting "nonsense" to lock'),
    '"curves" can be hidden, not locked.',
  ]);
  // Nothing known is left free: rather too much is hidden than too little.
  expect(readLocks(NO_LOCKS, 'only', 'nonsense', [])).toEqual({ ...NO_LOCKS, only: [] });
});
