import { beforeEach, expect, test, vi } from 'vitest';
import { defaultExperiment, patchExperiment } from '../../../app/protocol/experiment';
import { applyLink, useWorker } from '../../../app/store/actions';
import { abState, useAb } from '../../../app/store/compare/abStore';
import { useGridParts } from '../../../app/store/compare/grid/grid';
import { gridState, useGrid } from '../../../app/store/compare/grid/gridStore';
import { Shelf } from '../../../app/store/compare/grid/shelf';
import { gridUrl, pairUrl } from '../../../app/store/compare/share';
import { useCompare } from '../../../app/store/compare/store';
import { getState, initialState, setState } from '../../../app/store/store';
import { FakeWorker } from '../fakeWorker';

const hashOf = (url: string) => url.slice(url.indexOf('#'));
const opened = (tab: string) =>
  vi.waitFor(() => expect([getState().screen, useCompare.getState().tab]).toEqual(['compare', tab]), { timeout: 10_000 });

beforeEach(() => {
  setState(initialState());
  useAb.setState(abState(defaultExperiment(), defaultExperiment()));
  useGridParts(() => new FakeWorker(), new Shelf('test-none'));
  useWorker(() => new FakeWorker());
});

test('the link of a pair opens both, and nothing is started', async () => {
  const a = patchExperiment(defaultExperiment(), { train: { seed: 3 } });
  const b = patchExperiment(a, { method: { lambda: 0 } });
  useAb.setState(
    abState(a, b, [
      { name: 'mine', experiment: a },
      { name: 'mine', experiment: b },
    ]),
  );
  const link = hashOf(pairUrl());
  useAb.setState(abState(defaultExperiment(), defaultExperiment()));
  applyLink(link);
  await opened('ab');
  const now = useAb.getState();
  expect([now.a.experiment, now.b.experiment]).toEqual([a, b]);
  expect(now.phase).toBe('setup');
  expect(getState().notices).toEqual([]);
});

test('the link of a grid fills its form; a value that does not fit stands there and is told', async () => {
  const text = {
    x: { path: 'method.targetRank', values: '0.1, 0.3' },
    y: { path: 'method.lambda', values: '0, 5' },
    seeds: '1, 2',
    steps: '40',
  };
  useGrid.setState({ draft: text });
  const link = hashOf(gridUrl());
  useGrid.setState(gridState());
  applyLink(link);
  await opened('grid');
  expect(useGrid.getState()).toMatchObject({ draft: text, source: 'link', linked: { train: { steps: 40 } } });
  expect(getState().notices).toEqual([]);
  applyLink(link.replace('0,5', '0,much'));
  await vi.waitFor(() => expect(getState().notices.at(-1)?.lines).toEqual([expect.stringMatching(/up: λ must be a number, not "much"/)]));
  expect(useGrid.getState().draft?.y.values).toBe('0, much');
});

test('a comparison that a locked page forbids, or a part that means nothing, is told and not opened', async () => {
  applyLink('#v=1&lambda=1&lock=lambda&compare=ab&b.lambda=9');
  await vi.waitFor(() => expect(getState().notices.at(-1)?.message).toMatch(/locks λ/));
  applyLink('#compare=both');
  await vi.waitFor(() => expect(getState().notices.at(-1)?.lines).toEqual([expect.stringMatching(/must be ab or grid/)]));
  expect(getState().screen).toBe('main');
});
