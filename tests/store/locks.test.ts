import { beforeEach, expect, test } from 'vitest';
import { defaultExperiment, patchExperiment, type Experiment } from '../../app/protocol/experiment';
import { NO_LOCKS } from '../../app/protocol/locks';
import {
  applyLink,
  choosePreset,
  newSeed,
  openDevice,
  openFork,
  openLessons,
  replay,
  resume,
  runHere,
  setField,
  setOverride,
  takePasted,
  takeSettings,
  useWorker,
} from '../../app/store/actions';
import { api } from '../../app/store/api';
import { openAb, playAb, setExperiments } from '../../app/store/compare/ab';
import { abState, useAb } from '../../app/store/compare/abStore';
import { startGrid } from '../../app/store/compare/grid/grid';
import { useGrid } from '../../app/store/compare/grid/gridStore';
import { summaryOf } from '../../app/store/runs/summary';
import { getState, initialState, setState } from '../../app/store/store';
import { sampleRun } from '../protocol/run/fixture';
import { FakeWorker, opening } from './fakeWorker';

const LINK = '#v=1&method=adamq3r&lambda=2&targetRank=0.1&lock=lambda,targetRank&hide=lr';
const other = (patch: Parameters<typeof patchExperiment>[1]): Experiment => patchExperiment(getState().experiment, patch);
const stronger = () => other({ method: { lambda: 9 } });
let worker: FakeWorker;

beforeEach(async () => {
  setState(initialState());
  useWorker(() => {
    worker = new FakeWorker({ ...opening, reset: () => undefined });
    return worker;
  });
  await openDevice(true);
});

/** A run in the table that uses other settings than the link allows. */
function keptRun(): string {
  const record = sampleRun(12, { experiment: stronger() });
  setState({ runs: [summaryOf(record, { pinned: false, style: 2, bytes: 1, imported: true, checkpoint: 'ck' })] });
  return record.id;
}

type Way = readonly [string, () => unknown];
const WAYS: readonly Way[] = [
  ['the form', () => setField('method.lambda', 9)],
  ['a hidden field', () => setField('train.lr', 0.5)],
  ['a matrix of its own', () => setOverride({ name: 'blocks.*.mlp.fc1.weight' }, { rank: 3 })],
  ['a preset', () => choosePreset('tiny')],
  ['a pasted command', () => takePasted(stronger())],
  ['the settings of a kept run', () => takeSettings(keptRun())],
  ['a fork of a kept run', () => openFork(keptRun())],
  [
    'a recording, run here',
    () => {
      replay(sampleRun(12, { experiment: stronger() }));
      runHere();
    },
  ],
  ['a kept state', () => resume('ck')],
  ['a script', () => api.configure({ method: { lambda: 9 } })],
  ['a link to a script', () => api.configure('#v=1&lambda=9')],
  ['a link with locks of its own', () => api.configure(`${LINK}&lock=lr`.replace('&lock=lambda,targetRank', ''))],
  ['A of a pair', () => setExperiments(stronger(), getState().experiment, 'λ')],
  ['B of a pair', () => setExperiments(getState().experiment, stronger(), 'λ')],
];

test.each(WAYS)('a locked page stays as its link made it: %s', async (_name, way) => {
  applyLink(LINK);
  const { experiment } = getState();
  const tried = await Promise.resolve()
    .then(way)
    .catch((error: Error) => error.message);
  expect(String(tried)).toMatch(/lock/);
  expect(getState().runFork).toBeNull();
  expect(getState().experiment).toEqual(experiment);
  const trained = worker.asked
    .filter(({ type }) => type === 'configure')
    .map((command) => (command as unknown as { experiment: Experiment }).experiment);
  expect(trained.every(({ method, train }) => method.lambda === 2 && train.lr === experiment.train.lr)).toBe(true);
});

test('another link, a new seed and the lessons change nothing that is locked', async () => {
  applyLink(`${LINK},seed`);
  const { experiment } = getState();
  applyLink('#v=1&lambda=9');
  applyLink('#v=1&lambda=9&lock=lr');
  applyLink('#v=1&lesson=rank');
  openLessons();
  await expect(newSeed(5)).rejects.toThrow(/locks Seed/);
  expect(getState()).toMatchObject({ experiment, screen: 'first' });
  expect(getState().locks.lock).toEqual(['lambda', 'targetRank']);
});

test('a grid that varies what is locked does not begin; one that does not, may', async () => {
  applyLink(LINK);
  const text = {
    x: { path: 'method.targetRank', values: '0.1, 0.2' },
    y: { path: 'train.batchSize', values: '8' },
    seeds: '1',
    steps: '5',
  };
  await expect(startGrid(getState().experiment, text)).rejects.toMatchObject({
    part: 'x',
    message: expect.stringMatching(/locks Target rank/),
  });
  expect(useGrid.getState().definition).toBeNull();
});

test('a pair chosen before the lock is not run, and is put back to the link’s settings', async () => {
  const mine = { name: 'mine', experiment: stronger() };
  useAb.setState(abState(stronger(), stronger(), [mine, mine]));
  applyLink(LINK);
  await expect(playAb()).rejects.toThrow(/locks/);
  openAb();
  const { a, b } = useAb.getState();
  expect([a.experiment, b.experiment]).toEqual([getState().experiment, getState().experiment]);
});

test('a script’s link keeps its locks, as if it had been opened, and once is for good', async () => {
  await api.configure(LINK);
  expect(getState().locks).toEqual({ lock: ['lambda', 'targetRank'], hide: ['lr'], only: null });
  await expect(api.configure({ train: { lr: 0.5 } })).rejects.toThrow(/locks Learning rate/);
  // The same link again is no other one.
  await api.configure(LINK);
  expect(api.shareUrl()).toContain('lock=lambda,targetRank');
});

test('a page locked in a lesson leaves it', () => {
  openLessons('rank');
  expect(getState().screen).toBe('lesson');
  applyLink(LINK);
  expect(getState().screen).toBe('main');
  expect(NO_LOCKS).not.toEqual(getState().locks);
  expect(defaultExperiment()).not.toEqual(getState().experiment);
});
