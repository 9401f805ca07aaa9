import { beforeEach, expect, test, vi } from 'vitest';
import { presetExperiment } from '../../app/protocol/presets';
import { RECORD_WIDTH, type RunRecord } from '../../app/protocol/run/record';
import { clock } from '../../app/store/clock';
import { applyReport } from '../../app/store/events';
import { frames } from '../../app/store/frames';
import { Recorder } from '../../app/store/recorder';
import { records } from '../../app/store/records';
import { getState, initialState, setState } from '../../app/store/store';
import type { Report } from '../../app/store/workerClient';
import { device, seriesOf, spectraOf } from './fakeWorker';

const experiment = presetExperiment('nano');
let kept: RunRecord[];
let recorder: Recorder;
/** The page's stores count on through all tests of the file. */
let run = 0;

beforeEach(() => {
  kept = [];
  recorder = new Recorder(async (record) => void kept.push(record));
  setState({ ...initialState(), device, runId: ++run });
});

/** What the page does with a report. */
function take(report: Report): void {
  recorder.before(report);
  if (report.type === 'state') {
    records.begin(report.runId, report.step);
    frames.begin(report.runId, report.phase, report.step);
    clock.note(report.runId, report.phase, report.step, report.elapsedMs);
  }
  if (report.type === 'series') records.append(report.runId, report.from, report.rows);
  if (report.type === 'spectra') frames.push(report.step, report.matrices);
  setState((s) => applyReport(s, report));
  recorder.after(report);
}
const state = (phase: 'preparing' | 'running' | 'paused' | 'finished', step: number): Report => ({
  ...{ type: 'state', runId: run, phase, step, totalSteps: 100, elapsedMs: 10 * step, liveBytes: 7 },
});
const steps = (from: number, to: number): Report => ({
  type: 'series',
  runId: run,
  series: { ...seriesOf(run, 1), evalStep: new Float64Array(0), evalLoss: new Float32Array(0), evalAccuracy: new Float32Array(0) },
  latest: { step: to, epoch: 1, loss: 1, regularizer: 0, accuracy: 0.5, lr: 1e-3, gradNorm: 1 },
  from,
  rows: Float64Array.from({ length: (to - from + 1) * RECORD_WIDTH }, (_, i) => from + i),
});
const evaluation = (step: number): Report => ({ type: 'evaluation', runId: run, step, loss: 1, accuracy: step / 100, count: 64 });
const begin = () => {
  take(state('preparing', 0));
  take({ type: 'experiment', runId: run, experiment });
  setState({ running: experiment });
};

test('nothing is recorded before the first step; then all of the run is', async () => {
  begin();
  expect(recorder.record()).toBe(null);
  expect(getState().runHere).toBe(null);
  take(state('running', 3));
  take(steps(1, 3));
  take(evaluation(2));
  take({ type: 'spectra', runId: run, step: 3, matrices: spectraOf(experiment, 1) });
  take({ type: 'mark', runId: run, mark: { step: 2, field: 'method.lambda', from: 1, to: 2 } });
  take(steps(4, 5));
  take(state('finished', 5));
  await vi.waitFor(() => expect(kept.at(-1)?.phase).toBe('finished'));
  const record = kept.at(-1)!;
  expect(record).toMatchObject({
    ...{ id: getState().runHere, name: 'AdamQ3R, λ 5', step: 5, totalSteps: 100, parent: null, experiment },
    origin: { device: 'Apple M2 Pro', software: false, version: 'test' },
    evaluations: [{ step: 2, accuracy: 0.02, loss: 1, count: 64 }],
    marks: [{ step: 2, field: 'method.lambda', from: 1, to: 2 }],
  });
  expect(record.rows).toHaveLength(5 * RECORD_WIDTH);
  expect(record.frames.map(({ step }) => step)).toEqual([3]);
  expect([...record.clock]).toEqual([3, 30, 5, 50]);
});

test('a reset begins another run; the last state of the one before is kept', async () => {
  begin();
  take(state('running', 2));
  take(steps(1, 2));
  const first = getState().runHere;
  run++;
  take(state('preparing', 0));
  expect(getState().runHere).toBe(null);
  take({ type: 'experiment', runId: run, experiment });
  take(state('paused', 1));
  expect(getState().runHere).not.toBe(first);
  await vi.waitFor(() => expect(new Set(kept.map(({ id }) => id)).size).toBe(2));
  expect(kept.filter(({ id }) => id === first).at(-1)?.step).toBe(2);
});

test('a run that goes back to a snapshot forgets validations that came after', () => {
  begin();
  take(state('running', 40));
  for (const step of [10, 20, 30]) take(evaluation(step));
  take(state('paused', 20));
  expect(recorder.record()?.evaluations.map(({ step }) => step)).toEqual([10, 20]);
  take(evaluation(20));
  expect(recorder.record()?.evaluations.map(({ step }) => step)).toEqual([10, 20]);
});

test('a setting changed behind the last step is the run’s from its next step on', () => {
  begin();
  take(state('paused', 5));
  const changed = { ...experiment, method: { ...experiment.method, lambda: 9 } };
  setState({ running: changed });
  take({ type: 'mark', runId: run, mark: { step: 5, field: 'method.lambda', from: 5, to: 9 } });
  expect(recorder.record()).toMatchObject({ experiment, marks: [] });
  take(state('paused', 6));
  expect(recorder.record()).toMatchObject({ experiment: changed, marks: [{ step: 5 }] });
});

test('a fork has its parent while it differs in one setting', () => {
  const start = (lambda: number, steps_: number) => {
    run++;
    begin();
    setState({
      running: { ...experiment, method: { ...experiment.method, lambda }, train: { ...experiment.train, steps: steps_ } },
    });
    take(state('running', 1));
    return recorder.record()?.parent;
  };
  recorder.from({ id: 'p', fork: experiment });
  expect(start(experiment.method.lambda * 2, experiment.train.steps)).toBe('p');
  expect(start(experiment.method.lambda * 2, experiment.train.steps)).toBe(null);
  recorder.from({ id: 'p', fork: experiment });
  expect(start(experiment.method.lambda * 2, experiment.train.steps + 1)).toBe(null);
});

test('nothing is recorded of a replay', () => {
  begin();
  setState({ replay: {} } as never);
  take(state('running', 3));
  expect(recorder.record()).toBe(null);
  setState({ replay: null });
});
