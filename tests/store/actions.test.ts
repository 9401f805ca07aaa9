import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConfigError, type Experiment } from '../../app/protocol/experiment';
import { presetExperiment } from '../../app/protocol/presets';
import {
  adopt,
  applyLink,
  attempt,
  cancelAsk,
  cancelStart,
  choosePreset,
  loadFiles,
  newSeed,
  openDevice,
  planNow,
  play,
  reset,
  resetAll,
  resetField,
  retry,
  rollback,
  setField,
  shareUrl,
  startNewRun,
  stepOnce,
  trySetField,
  useWorker,
} from '../../app/store/actions';
import { getState, initialState, setState } from '../../app/store/store';
import { device, FakeWorker, planOf } from './fakeWorker';

let workers: FakeWorker[] = [];
const worker = () => workers.at(-1)!;
let handlers: ConstructorParameters<typeof FakeWorker>[0];
/** A worker whose runs do what they are told at once. */
const answering = () => ({
  init: () => device,
  plan: ({ experiment }: { experiment: Experiment }) => planOf(experiment),
  configure: ({ experiment }: { experiment: Experiment }) => planOf(experiment),
  view: () => undefined,
  warm: () => undefined,
  checkpoints: () => [],
  samples: () => ({ width: 1, height: 1, images: [], labels: [] }),
  start: () => phase('running', 5),
  pause: () => phase('paused', 5),
  reset: () => phase('idle', 0),
  rollback: () => phase('paused', 3),
  cancelLoad: () => undefined,
  step: () => [],
});
const phase = (now: 'idle' | 'running' | 'paused' | 'finished', step: number): undefined => {
  worker().emit({ type: 'state', runId: getState().runId || 1, phase: now, step, totalSteps: 100, elapsedMs: 1, liveBytes: 1 });
  return undefined;
};
const asked = () => worker().types.filter((type) => !['init', 'view', 'samples', 'plan', 'warm', 'checkpoints'].includes(type));

beforeEach(async () => {
  setState(initialState());
  workers = [];
  handlers = answering();
  useWorker(() => {
    workers.push(new FakeWorker(handlers));
    return worker();
  });
  await openDevice(true);
});
afterEach(() => vi.useRealTimers());

describe('the form', () => {
  test('the preset that suits the device fills an untouched form', () => {
    expect(getState()).toMatchObject({ preset: 'micro', experiment: presetExperiment('micro') });
    expect(getState().plan?.matrices).toHaveLength(24);
  });

  test('a wrong value is refused with its field and changes nothing', () => {
    const before = getState().experiment;
    expect(() => setField('train.lr', 7)).toThrow(ConfigError);
    expect(trySetField('model.numHeads', 7)).toContain('Heads must divide the width of 64');
    expect(trySetField('method.lambda', 'much')).toContain('λ must be a number from 0 to 1000');
    expect(getState().experiment).toBe(before);
  });

  test('reset brings back the preset’s value, all of them at once too', () => {
    setField('train.lr', 4e-4);
    setField('model.depth', 2);
    resetField('train.lr');
    expect(getState().experiment.train.lr).toBe(presetExperiment('micro').train.lr);
    resetAll();
    expect(getState().experiment).toEqual(presetExperiment('micro'));
  });

  test('choosing a preset keeps the data set', () => {
    setField('dataset', 'cifar10');
    choosePreset('tiny');
    expect(getState().experiment).toEqual(presetExperiment('tiny', 'cifar10'));
  });

  test('of two plans the answer to the newer question counts', async () => {
    const answers: ((depth: number) => void)[] = [];
    handlers!.plan = ({ experiment }) => new Promise((resolve) => answers.push(() => resolve(planOf(experiment))));
    setState({ experiment: presetExperiment('nano') });
    const older = planNow();
    setState({ experiment: presetExperiment('mini') });
    const newer = planNow();
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    answers[1]!(1);
    await newer;
    answers[0]!(0);
    await older;
    expect(getState().plan?.matrices).toHaveLength(36);
  });

  test('a worker that cannot plan is shown at its field', async () => {
    handlers!.plan = () => {
      throw new ConfigError('method.targetRank', 'no');
    };
    await planNow().catch(() => undefined);
    expect(getState().planError).toEqual({ field: 'method.targetRank', message: 'no' });
    await expect(play()).rejects.toThrow('no');
  });
});

describe('a run', () => {
  test('play configures, then starts; again, it only starts', async () => {
    await play();
    expect(asked()).toEqual(['configure', 'start']);
    expect(getState()).toMatchObject({ phase: 'running', starting: false, screen: 'main', running: presetExperiment('micro') });
    phase('paused', 9);
    await play();
    expect(asked()).toEqual(['configure', 'start', 'start']);
  });

  test('a finished run starts anew', async () => {
    await play();
    phase('finished', 100);
    await play();
    expect(asked()).toEqual(['configure', 'start', 'reset', 'start']);
  });

  test('a refused model cannot be played, and says why', async () => {
    const nearest = presetExperiment('nano');
    setState((s) => ({ plan: { ...s.plan!, refusal: { reason: 'Too large.', nearest, nearestText: 'nano' } } }));
    await expect(play()).rejects.toThrow('Too large.');
    expect(asked()).toEqual([]);
  });

  test('a start that was cancelled while it prepared does not start', async () => {
    let release: (() => void) | undefined;
    handlers!.configure = ({ experiment }) => new Promise((resolve) => (release = () => resolve(planOf(experiment))));
    const starting = play();
    await vi.waitFor(() => expect(release).toBeDefined());
    await cancelStart();
    release!();
    await starting;
    expect(asked()).toEqual(['configure']);
    expect(getState()).toMatchObject({ starting: false, phase: 'idle' });
  });

  test('a failed start leaves the page ready for the next', async () => {
    handlers!.start = () => {
      throw new Error('no');
    };
    await expect(play()).rejects.toThrow('no');
    expect(getState().starting).toBe(false);
    attempt(Promise.reject(new Error('told')));
    await vi.waitFor(() => expect(getState().notices.at(-1)?.message).toBe('told'));
  });

  test('live fields reach the run, once for a whole drag', async () => {
    await play();
    for (const value of [0.5, 0.6, 0.7]) setField('method.lambda', value);
    expect(getState().ask).toBeNull();
    await vi.waitFor(() => expect(asked()).toEqual(['configure', 'start', 'configure']));
    expect(worker().asked.at(-1)).toMatchObject({ experiment: { method: { lambda: 0.7 } } });
    expect(getState().running?.method.lambda).toBe(0.7);
  });

  test('any other change asks first; No keeps the run and the form', async () => {
    await play();
    setField('train.batchSize', 128);
    expect(getState().ask?.what).toBe('train.batchSize');
    expect(getState().experiment.train.batchSize).toBe(64);
    cancelAsk();
    expect(getState().ask).toBeNull();
    expect(asked()).toEqual(['configure', 'start']);
  });

  test('Yes ends the run and starts the next; a paused run waits at step 0', async () => {
    await play();
    setField('train.batchSize', 128);
    await startNewRun();
    expect(asked()).toEqual(['configure', 'start', 'pause', 'configure', 'start']);
    expect(getState().running?.train.batchSize).toBe(128);
    phase('paused', 9);
    setField('train.batchSize', 32);
    await startNewRun();
    expect(asked().slice(5)).toEqual(['configure', 'reset']);
    expect(getState().phase).toBe('idle');
  });

  test('no question is asked when no run can be lost', async () => {
    setField('train.batchSize', 128);
    expect(getState().ask).toBeNull();
    await play();
    phase('finished', 100);
    setField('train.batchSize', 64);
    expect(getState()).toMatchObject({ ask: null, experiment: { train: { batchSize: 64 } } });
  });

  test('reset keeps the seed, a new seed changes it and nothing else', async () => {
    await play();
    await reset();
    expect(asked().slice(2)).toEqual(['pause', 'reset']);
    expect(worker().asked.at(-1)).not.toHaveProperty('seed');
    await newSeed(42);
    expect(getState().running).toEqual({ ...presetExperiment('micro'), train: { ...presetExperiment('micro').train, seed: 42 } });
  });

  test('a step pauses a running run first', async () => {
    await play();
    await stepOnce(3);
    expect(asked().slice(2)).toEqual(['pause', 'step']);
    expect(worker().asked.at(-1)).toMatchObject({ count: 3 });
  });

  test('rollback takes the new rate into form and run, clears the fault and goes on', async () => {
    await play();
    worker().emit({ type: 'fault', fault: { kind: 'non-finite', message: 'm', detail: 'd', snapshotStep: 3, suggestedLr: 1e-4 } });
    await rollback(1e-4);
    expect(asked().slice(2)).toEqual(['rollback', 'start']);
    expect(getState()).toMatchObject({ fault: null, experiment: { train: { lr: 1e-4 } }, running: { train: { lr: 1e-4 } } });
  });

  test('after a crash, Start again opens a fresh worker with the same experiment', async () => {
    setField('method.lambda', 0.25);
    await play();
    worker().crash('boom');
    expect(getState()).toMatchObject({ phase: 'failed', device: null, fault: { kind: 'worker-crash' } });
    await expect(play()).rejects.toThrow();
    setState({ runHere: 'the crashed one' });
    const again = retry(true);
    expect(getState().runHere).toBeNull();
    await again;
    expect(workers).toHaveLength(2);
    expect(asked()).toEqual(['configure', 'start']);
    expect(getState()).toMatchObject({ fault: null, phase: 'running', running: { method: { lambda: 0.25 } } });
    // A run that the worker brings back is not begun anew meanwhile.
    worker().emit({ type: 'fault', fault: { kind: 'device-lost', message: 'm', detail: 'd' } });
    setState({ phase: 'failed' });
    await expect(play()).rejects.toThrow('comes back by itself');
  });
});

describe('links and data', () => {
  test('a link is applied as far as it is right; the rest is listed', () => {
    expect(applyLink('#v=1&lambda=0.25&lr=7&colour=red')).toBe(true);
    expect(getState().experiment.method.lambda).toBe(0.25);
    expect(getState().experiment.train.lr).toBe(presetExperiment('micro').train.lr === 7 ? 0 : 1e-3);
    const notice = getState().notices[0]!;
    expect(notice.message).toBe('2 parts of the link were not applied');
    expect(notice.lines.join()).toMatch(/colour.*|lr/);
    expect(applyLink('')).toBe(false);
  });

  test('the shared link brings the same experiment back', () => {
    const wanted = { ...getState().experiment, train: { ...getState().experiment.train, lr: 4e-4, seed: 7 } };
    adopt(wanted, 'micro', 'x');
    const url = shareUrl();
    setState({ experiment: presetExperiment('tiny') });
    applyLink(new URL(url).hash);
    expect(getState().experiment).toEqual(wanted);
  });

  test('files become the data set; a bad file leaves everything as it was', async () => {
    const info = {
      name: 'cifar10' as const,
      label: 'CIFAR-10',
      synthetic: false,
      trainCount: 10,
      testCount: 5,
      imageSize: 32,
      channels: 3,
      classes: [],
      classCounts: [],
      origin: 'files',
      bytes: 1,
      cached: true,
    };
    handlers!.loadFiles = () => info;
    await loadFiles([new File(['x'], 'data_batch_1.bin')]);
    expect(getState()).toMatchObject({ dataset: info, experiment: { dataset: 'cifar10' }, dataProgress: null });
    handlers!.loadFiles = () => {
      throw Object.assign(new Error('bad.bin: expected 3073-byte records, found 12 bytes.'), { name: 'DataError' });
    };
    attempt(loadFiles([new File(['y'], 'bad.bin')]));
    await vi.waitFor(() => expect(getState().notices.at(-1)?.message).toContain('expected 3073-byte records'));
    expect(getState()).toMatchObject({ dataset: info, dataProgress: null });
  });

  test('what the visitor cancelled is not told as an error', async () => {
    handlers!.loadDataset = () => {
      throw Object.assign(new Error('cancelled'), { name: 'AbortError' });
    };
    setField('dataset', 'cifar10');
    attempt(play());
    await vi.waitFor(() => expect(getState()).toMatchObject({ starting: false, dataProgress: null }));
    expect(getState().notices).toEqual([]);
  });
});
