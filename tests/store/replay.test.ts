import { beforeEach, expect, test, vi } from 'vitest';
import { encodeRun } from '../../app/protocol/run/file';
import {
  adopt,
  blockedBecause,
  leaveReplay,
  openDevice,
  replay,
  replayText,
  replayUrl,
  runHere,
  setSmoothing,
  stepOnce,
  useWorker,
} from '../../app/store/actions';
import { frames } from '../../app/store/frames';
import { records } from '../../app/store/records';
import { getState, initialState, setState } from '../../app/store/store';
import { sampleRun } from '../protocol/run/fixture';
import { FakeWorker, opening, seriesOf } from './fakeWorker';

let worker: FakeWorker;
const run = sampleRun();
const rowsOf = (from: number, steps: number) => new Float64Array(steps * 6).fill(from);
const latest = { step: 5, epoch: 0, loss: 1, regularizer: 0, accuracy: 0, lr: 0, gradNorm: 0 };
const live = (runId: number, step: number, phase: 'running' | 'paused' = 'running') =>
  worker.emit({ type: 'state', runId, phase, step, totalSteps: 100, elapsedMs: step, liveBytes: 1 });

beforeEach(async () => {
  setState(initialState());
  useWorker(() => {
    worker = new FakeWorker(opening);
    return worker;
  });
  await openDevice(true);
});

test('a recording stands on screen as a run that has ended, and nothing can train it', async () => {
  replay(run);
  const s = getState();
  expect(s).toMatchObject({ phase: 'finished', step: 12, running: run.experiment, marks: run.marks, curves: run.curves, screen: 'main' });
  expect(s.replay).toMatchObject({ device: 'SwiftShader (software)', software: true, from: 'recording' });
  expect(s.spectra).toEqual(run.frames.at(-1));
  expect(records.packed()).toEqual(run.rows);
  expect(frames.all().map((f) => f.step)).toEqual([0, 5, 10]);
  expect(blockedBecause()).toMatch(/recording/);
  await expect(stepOnce()).rejects.toThrow(/recording/);
});

test('the smoothing is that of the page', () => {
  replay(run);
  const before = getState().series!.lossSmooth.slice();
  setSmoothing(0);
  expect(getState().series!.lossSmooth).not.toEqual(before);
});

test('the worker’s run waits aside, hears its last reports, and comes back', () => {
  const own = getState().experiment;
  worker.emit({ type: 'experiment', runId: 1, experiment: own });
  live(1, 5);
  worker.emit({ type: 'series', runId: 1, series: seriesOf(1, 5), latest, from: 1, rows: rowsOf(1, 5) });
  replay(run);
  expect(worker.types).toContain('pause');
  worker.emit({ type: 'series', runId: 1, series: seriesOf(1, 7), latest, from: 6, rows: rowsOf(2, 2) });
  live(1, 7, 'paused');
  expect(getState().step).toBe(12);
  leaveReplay();
  expect(getState()).toMatchObject({ replay: null, phase: 'paused', step: 7, experiment: own, running: own });
  expect(records.length).toBe(7);
  live(1, 8);
  expect(getState().step).toBe(8);
});

test('a run of the worker that begins after a recording is newer, and takes the screen', () => {
  live(1, 5);
  replay(run);
  replay(sampleRun(20));
  live(1, 6);
  expect(getState()).toMatchObject({ step: 20 });
  live(2, 1);
  expect(getState()).toMatchObject({ step: 1, phase: 'running', replay: null });
});

test('Run it here leaves the recording with its experiment in the form', () => {
  const experiment = { ...run.experiment, train: { ...run.experiment.train, seed: 77 } };
  replay({ ...run, experiment });
  runHere();
  expect(getState()).toMatchObject({ replay: null, experiment, phase: 'idle' });
  replay(run);
  adopt(experiment, 'nano', 'a preset');
  expect(getState().replay).toBeNull();
});

test('what is no recording is named, and the screen stays', async () => {
  await expect(replayText('{"format":"else"}')).rejects.toThrow(/no run file/);
  const fetching = vi
    .spyOn(globalThis, 'fetch')
    .mockImplementation(async (url) =>
      String(url).endsWith('index.json')
        ? Response.json([{ file: 'one.json', name: 'One', label: 'One' }])
        : String(url).endsWith('one.json')
          ? new Response(encodeRun(run))
          : new Response('', { status: 404 }),
    );
  await expect(replayUrl('two')).rejects.toThrow('This page has no recording "two"; it has one.');
  await expect(replayUrl('runs/lost.json')).rejects.toThrow(/404/);
  await expect(replayUrl('ftp://example.org/run.json')).rejects.toThrow(/https only/);
  expect(getState()).toMatchObject({ replay: null, replayLoading: null });
  await replayUrl('one');
  expect(getState().replay).toMatchObject({ source: 'one' });
  fetching.mockRestore();
});
