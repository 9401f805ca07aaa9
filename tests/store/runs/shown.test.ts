import { afterEach, expect, test } from 'vitest';
import { openRunsShelf, showRun } from '../../../app/store/actions';
import { keepRun, useStorage } from '../../../app/store/runs';
import { Database } from '../../../app/store/runs/storage';
import { getState, initialState, setState } from '../../../app/store/store';
import { sampleRun } from '../../protocol/run/fixture';

const name = `test-${crypto.randomUUID()}`;
afterEach(() => indexedDB.deleteDatabase(name));
const drawn = () => getState().shown.map(({ record, style }) => [record.id, style]);

test('runs drawn over the run on screen are drawn again after a reload, in their colours; one that is gone is not', async () => {
  localStorage.removeItem('q3r.runs.shown');
  setState(initialState());
  useStorage(new Database(name));
  await openRunsShelf();
  for (const [id, date] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    await keepRun(sampleRun(12, { id, date }));
  for (const id of ['a', 'b', 'c']) await showRun(id, true);
  await showRun('b', false);
  const before = drawn();
  expect(before.map(([id]) => id)).toEqual(['c', 'a']);

  // A page anew, on the same storage.
  const remembered = localStorage.getItem('q3r.runs.shown');
  setState(initialState());
  localStorage.setItem('q3r.runs.shown', remembered!.replace(']', ',"gone"]'));
  useStorage(new Database(name));
  await openRunsShelf();
  expect(drawn()).toEqual(before);

  setState({ ...initialState(), embed: true });
  localStorage.setItem('q3r.runs.shown', remembered!);
  useStorage(new Database(name));
  await openRunsShelf();
  expect(drawn()).toEqual([]);
  localStorage.removeItem('q3r.runs.shown');
});
