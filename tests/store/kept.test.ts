import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CheckpointInfo, LoadedTensors } from '../../app/protocol/checkpoint';
import { presetExperiment } from '../../app/protocol/presets';
import {
  UNDO_MS,
  declineOffer,
  discard,
  fetchTensors,
  loadTensorFile,
  lookForKept,
  openDevice,
  resume,
  resumeAfterCrash,
  takeFiles,
  undoDiscard,
  useWorker,
} from '../../app/store/actions';
import { getState, initialState, setState } from '../../app/store/store';
import { device, FakeWorker, planOf } from './fakeWorker';

const experiment = presetExperiment('micro');
const info = (run: string, more: Partial<CheckpointInfo> = {}): CheckpointInfo => ({
  key: run,
  run,
  kind: 'latest',
  experiment,
  step: 120,
  accuracy: 0.5,
  loss: 1,
  date: 5,
  bytes: 1000,
  open: false,
  ...more,
});
const loaded = (kind: LoadedTensors['kind'], notes: string[] = []): LoadedTensors => ({ kind, experiment, step: 120, notes });
let kept: CheckpointInfo[];
let worker: FakeWorker;
let answer: () => LoadedTensors | Promise<LoadedTensors>;
const asked = (type: string) => worker.asked.filter((command) => command.type === type);

beforeEach(() => {
  setState(initialState());
  kept = [info('b'), info('b', { key: 'b:best', kind: 'best' }), info('a')];
  answer = () => loaded('checkpoint');
  useWorker(() => {
    worker = new FakeWorker({
      init: () => device,
      plan: ({ experiment: e }) => planOf(e),
      view: () => undefined,
      warm: () => undefined,
      samples: () => ({ width: 1, height: 1, images: [], labels: [] }),
      checkpoints: () => kept,
      resume: () => answer(),
      loadTensors: () => answer(),
      fetchTensors: () => answer(),
      deleteCheckpoint: () => undefined,
    });
    return worker;
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('the newest run that no other tab has open is offered, until it is declined', async () => {
  await openDevice(false);
  await vi.waitFor(() => expect(getState().offered).toBe('b'));
  declineOffer();
  expect(getState()).toMatchObject({ offered: null, kept });
});

test('a run that the page before this one still holds is asked for again', async () => {
  kept = [info('b', { open: true })];
  vi.useFakeTimers();
  const looking = lookForKept();
  await vi.advanceTimersByTimeAsync(500);
  expect(getState().offered).toBe(null);
  kept = [info('b')];
  await vi.advanceTimersByTimeAsync(1000);
  await looking;
  expect(getState().offered).toBe('b');
});

test('a run on screen is not interrupted by an offer', async () => {
  setState({ running: experiment });
  await lookForKept();
  expect(getState()).toMatchObject({ offered: null, kept });
});

test('resuming brings the settings of the run into the form, and its notes to the visitor', async () => {
  await lookForKept();
  answer = () => loaded('checkpoint', ['It was made elsewhere.']);
  await resume('b');
  expect(getState()).toMatchObject({
    experiment,
    running: experiment,
    preset: 'micro',
    screen: 'main',
    offered: null,
    loadingTensors: null,
    keptHere: kept[0],
  });
  expect(getState().notices.at(-1)).toMatchObject({ message: 'The run is back at step 120.', lines: ['It was made elsewhere.'] });
});

test('a checkpoint that is refused changes nothing on the page', async () => {
  await lookForKept();
  const before = getState();
  answer = () => Promise.reject(new Error('head.bias is [3] in the checkpoint; [10] was expected.'));
  await expect(resume('b')).rejects.toThrow(/head\.bias is \[3\]/);
  expect(getState()).toEqual({ ...before, loadingTensors: null, dataProgress: null });
});

test('a discarded run can be had back for some seconds, and is removed after them', async () => {
  await lookForKept();
  vi.useFakeTimers();
  discard('b');
  expect(getState()).toMatchObject({ offered: null, discarded: { key: 'b' }, kept: [info('a')] });
  await vi.advanceTimersByTimeAsync(UNDO_MS - 1);
  undoDiscard();
  await vi.advanceTimersByTimeAsync(2 * UNDO_MS);
  expect(getState()).toMatchObject({ offered: 'b', discarded: null, kept });
  expect(asked('deleteCheckpoint')).toEqual([]);
  discard('b');
  await vi.advanceTimersByTimeAsync(UNDO_MS + 1);
  expect(asked('deleteCheckpoint')).toMatchObject([{ key: 'b' }]);
  expect(getState().discarded).toBe(null);
});

test('a newer state of the run on screen takes the place of the older in the list', () => {
  setState({ kept });
  worker ??= new FakeWorker({});
  const newer = info('b', { step: 240, date: 9 });
  void lookForKept();
  worker.emit({ type: 'checkpoint', info: newer });
  expect(getState()).toMatchObject({ kept: [newer, kept[1], kept[2]], keptHere: newer });
});

test('files that end in .safetensors go to the worker with the shown experiment, whatever they are', async () => {
  answer = () => loaded('pretrained', ['The head for 1000 classes is replaced by a fresh one for 10.']);
  await takeFiles([new File(['abc'], 'vit.safetensors')]);
  expect(asked('loadTensors')).toMatchObject([{ experiment: initialState().experiment, bytes: new TextEncoder().encode('abc') }]);
  expect(getState()).toMatchObject({ experiment, origin: { name: 'vit.safetensors', model: 'ViT-Micro/4' } });
  expect(getState().notices.at(-1)?.message).toMatch(/^Weights of vit\.safetensors loaded, and the model made to fit them/);
  await loadTensorFile(new File(['abc'], 'x.safetensors'), { numHeads: 3 });
  expect(asked('loadTensors').at(-1)).toMatchObject({ options: { numHeads: 3 } });
  const sent = asked('loadTensors').length;
  await expect(takeFiles(['a.safetensors', 'b.SAFETENSORS'].map((name) => new File(['abc'], name)))).rejects.toThrow('One file of weights');
  expect(asked('loadTensors')).toHaveLength(sent);
});

test('a file from the web shows how far it is', async () => {
  let arrived: (value: LoadedTensors) => void = () => undefined;
  answer = () => new Promise((resolve) => (arrived = resolve));
  const fetching = fetchTensors(' https://example.org/models/vit.safetensors?download=true ');
  worker.emit({ type: 'tensorProgress', bytes: 5, totalBytes: 20 });
  expect(getState().loadingTensors).toEqual({ what: 'vit.safetensors', bytes: 5, totalBytes: 20, cancel: true });
  await vi.waitFor(() => expect(asked('fetchTensors')).toHaveLength(1));
  arrived(loaded('weights'));
  await fetching;
  expect(getState().loadingTensors).toBe(null);
});

test('after a crash the run goes on from what was kept, in a fresh worker', async () => {
  await openDevice(false);
  setState({ keptHere: kept[0]!, running: experiment });
  worker.crash('gone');
  expect(getState().fault?.kind).toBe('worker-crash');
  const first = worker;
  await resumeAfterCrash('b');
  expect(worker).not.toBe(first);
  expect(asked('resume')).toMatchObject([{ key: 'b' }]);
  expect(getState()).toMatchObject({ fault: null, running: experiment });
});
