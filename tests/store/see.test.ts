import { beforeEach, expect, test } from 'vitest';
import { presetExperiment } from '../../app/protocol/presets';
import { predictionsOf, type Inspection, type Survey } from '../../app/protocol/inspection';
import type { CutChoice } from '../../app/protocol/truncation';
import { followModel, openSee, refreshSee, setCut, showPicture, showSee, takeFiles, useWorker } from '../../app/store/actions';
import { newRun } from '../../app/store/events';
import { getState, initialState, setState } from '../../app/store/store';
import { FakeWorker } from './fakeWorker';

const labels = Uint16Array.of(0);
const predictions = predictionsOf(Float32Array.of(1, 0), labels, 2);
const surveyOf = (cut: CutChoice | undefined, step: number): Survey => ({
  ...{ step, average: false, count: 1, classes: 2, best: 2, labels, full: predictions },
  cut: cut ? { ...predictions, choice: cut } : null,
});
const look = { logits: Float32Array.of(1, 0), attention: new Float32Array(5), rollout: null };
const inspectionOf = (cut: CutChoice | undefined, step: number): Inspection => ({
  ...{ step, average: false, count: 1, classes: 2, full: look, labels: null, pixels: null, inverted: false },
  shape: { layers: 1, heads: 1, tokens: 5, side: 2, query: 'class' },
  cut: cut ? { ...look, choice: cut } : null,
});

let worker: FakeWorker;
let fails = false;
const make = () =>
  (worker = new FakeWorker({
    survey: ({ cut }) => {
      if (fails) throw new Error('no room');
      return surveyOf(cut, getState().step);
    },
    inspect: ({ cut }) => inspectionOf(cut, getState().step),
  }));
/** So far ahead that every pace has passed. */
const later = () => followModel(performance.now() + 1e6);

beforeEach(() => {
  fails = false;
  setState({ ...initialState(), runId: 1, phase: 'paused', step: 10, running: presetExperiment('nano') });
  useWorker(make);
  make();
  openSee(true);
});

test('a view that is open asks once, again when the run has moved on, and at once when another image is chosen', async () => {
  await later();
  await later();
  expect(worker.types).toEqual(['survey']);
  expect(getState().survey).toMatchObject({ step: 10, cut: { choice: { fraction: 0.2 } } });
  setState({ step: 11 });
  // It has not yet come to rest.
  await followModel();
  expect(worker.types).toEqual(['survey']);
  await later();
  expect(getState().survey?.step).toBe(11);

  const blob = new Blob(['x'], { type: 'image/png' });
  showPicture(blob, 'mine.png');
  await followModel();
  expect(worker.asked.at(-1)).toMatchObject({ type: 'inspect', cut: { fraction: 0.2 } });
  expect(getState()).toMatchObject({ seeTab: 'attention', inspection: { source: { name: 'mine.png' } } });
  await later();
  expect(worker.types).toEqual(['survey', 'survey', 'inspect']);
});

test('a moved slider is waited for; while training goes on there are pauses between looks', async () => {
  await later();
  setCut(0.5);
  await followModel();
  expect(worker.types).toEqual(['survey']);
  await later();
  expect(getState().survey?.cut?.choice).toEqual({ fraction: 0.5 });
  setState({ phase: 'running', step: 12 });
  await followModel();
  expect(worker.types).toHaveLength(2);
  await later();
  expect(worker.types).toHaveLength(3);
});

test('closed, or without a run, it asks nothing; a run that begins forgets what was seen', async () => {
  openSee(false);
  await later();
  openSee(true);
  setState({ phase: 'idle' });
  await later();
  await refreshSee();
  expect(worker.types).toEqual([]);
  setState({ phase: 'paused' });
  await later();
  setState((s) => newRun(s, 2));
  expect(getState()).toMatchObject({ survey: null, inspection: null, seeOpen: true });
});

test('what fails is told and tried again only when the visitor asks', async () => {
  fails = true;
  await later();
  await later();
  expect(worker.types).toEqual(['survey']);
  expect(getState()).toMatchObject({ seeError: 'no room', seeBusy: false });
  fails = false;
  await refreshSee();
  expect(getState()).toMatchObject({ seeError: null, survey: { step: 10 } });
});

test('no matrix may be truncated: the whole model alone is asked about', async () => {
  const running = presetExperiment('nano');
  setState({ running: { ...running, method: { ...running.method, targetModules: [] } } });
  await later();
  expect(worker.asked[0]).not.toHaveProperty('cut');
  expect(getState().survey?.cut).toBeNull();
});

test('one picture dropped while the view is open is looked at; anything else is loaded as ever', async () => {
  showSee('samples');
  await takeFiles([new File(['x'], 'cat.JPG')]);
  expect(getState().seeSource).toMatchObject({ kind: 'picture', name: 'cat.JPG' });
  openSee(false);
  void takeFiles([new File(['x'], 'cat.JPG')]);
  expect(worker.types).toEqual(['loadFiles']);
});
