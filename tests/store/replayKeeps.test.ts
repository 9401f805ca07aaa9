import { beforeEach, expect, test, vi } from 'vitest';
import type { Event } from '../../app/protocol/messages';
import { presetExperiment } from '../../app/protocol/presets';
import { encodeRun } from '../../app/protocol/run/file';
import { RECORD_WIDTH } from '../../app/protocol/run/record';
import { engine, leaveReplay, replay, runOnScreen, showRun, takeFiles, useWorker, wholeRun } from '../../app/store/actions';
import { allRuns, getRun, useStorage } from '../../app/store/runs';
import type { RunStorage } from '../../app/store/runs/storage';
import type { StoredRun } from '../../app/store/runs/pack';
import { getState, initialState, setState, type RunSummary } from '../../app/store/store';
import { sampleRun } from '../protocol/run/fixture';
import { device, FakeWorker, planOf, seriesOf } from './fakeWorker';

const experiment = presetExperiment('nano');
let worker: FakeWorker;

/** Keeps runs for one test. */
function visit(): RunStorage {
  const runs = new Map<string, { run: StoredRun; summary: RunSummary }>();
  return {
    list: () => Promise.resolve([...runs.values()].map(({ summary }) => summary)),
    get: (id) => Promise.resolve(runs.get(id)?.run),
    put(run, merge) {
      const summary = merge(runs.get(run.id)?.summary);
      runs.set(run.id, { run: structuredClone(run), summary });
      return Promise.resolve(summary);
    },
    patch: () => Promise.resolve(),
    delete: () => Promise.resolve(),
  };
}

const state = (phase: 'preparing' | 'running' | 'paused', step: number): Event => ({
  ...{ type: 'state', runId: 1, phase, step, totalSteps: 100, elapsedMs: 10 * step, liveBytes: 7 },
});
const steps = (from: number, to: number): Event => ({
  type: 'series',
  runId: 1,
  series: { ...seriesOf(1, 1), evalStep: new Float64Array(0), evalLoss: new Float32Array(0), evalAccuracy: new Float32Array(0) },
  latest: { step: to, epoch: 1, loss: 1, regularizer: 0, accuracy: 0.5, lr: 1e-3, gradNorm: 1 },
  from,
  rows: Float64Array.from({ length: (to - from + 1) * RECORD_WIDTH }, (_, i) => from + i),
});

beforeEach(async () => {
  setState({ ...initialState(), device, screen: 'main' });
  useStorage(visit());
  useWorker(() => (worker = new FakeWorker({ pause: () => undefined, view: () => undefined, plan: ({ experiment: e }) => planOf(e) })));
  await engine().send('view', { smoothing: 0 });
  const reports: Event[] = [state('preparing', 0), { type: 'experiment', runId: 1, experiment }, state('running', 3), steps(1, 3)];
  for (const report of reports) worker.emit(report);
});

test('a run that a recording takes the place of is kept to its last step', async () => {
  await vi.waitFor(async () => expect(await allRuns()).toHaveLength(1));
  const id = getState().runHere!;
  worker.emit(steps(4, 6));
  replay(sampleRun());
  await vi.waitFor(async () => expect((await getRun(id)).rows).toHaveLength(6 * RECORD_WIDTH), { timeout: 5000 });
  // What the worker still did before it stood.
  worker.emit(steps(7, 8));
  worker.emit({ type: 'evaluation', runId: 1, step: 8, loss: 1.25, accuracy: 0.5, count: 64 });
  worker.emit(state('paused', 8));
  expect(getState().replay?.name).toBe(sampleRun().name);
  // Meanwhile it is a kept run as any other: not the one on screen, and drawn over that where it is wished.
  expect(runOnScreen(getState())).toBe(sampleRun().id);
  await showRun(id, true);
  expect(getState().shown.map(({ record }) => record.id)).toEqual([id]);
  leaveReplay();
  expect(runOnScreen(getState())).toBe(id);
  expect(getState().shown).toEqual([]);
  await vi.waitFor(async () => expect((await getRun(id)).phase).toBe('paused'), { timeout: 5000 });
  const kept = await getRun(id);
  expect(kept).toMatchObject({ step: 8, evaluations: [{ step: 8, loss: 1.25, accuracy: 0.5, count: 64 }] });
  expect(kept.rows).toHaveLength(8 * RECORD_WIDTH);
  expect(await allRuns()).toHaveLength(1);
});

test('the file of the run on screen holds it under the id it is kept by', () => {
  expect(wholeRun()).toMatchObject({ id: getState().runHere, step: 3 });
});

test('a packed run file is shown and put into the table', async () => {
  const text = new Blob([encodeRun(sampleRun())]);
  const packed = await new Response(text.stream().pipeThrough(new CompressionStream('gzip'))).blob();
  await takeFiles([new File([packed], 'a.q3r.json.gz')]);
  expect(getState().replay?.name).toBe(sampleRun().name);
  expect((await allRuns()).map(({ id }) => id)).toContain(sampleRun().id);
  expect(getState().notices.filter(({ level }) => level === 'error')).toEqual([]);
});
