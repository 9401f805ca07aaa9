import { beforeEach, describe, expect, test, vi } from 'vitest';
import { presetExperiment } from '../../app/protocol/presets';
import { CURVE_FRACTIONS, checkCut, checkShares } from '../../app/protocol/truncation';
import { evaluateCut, measureCurve, setCut, setCutBy, useWorker } from '../../app/store/actions';
import { applyReport } from '../../app/store/events';
import { withTruncation } from '../../app/store/slices/truncation';
import { getState, initialState, setState, type AppState } from '../../app/store/store';
import type { Report } from '../../app/store/workerClient';
import { reportOf } from './cuts';
import { FakeWorker, spectraOf } from './fakeWorker';

describe('what a truncation is asked for', () => {
  test('shares are numbers from 0 to 1 by energy and to 2 by fraction', () => {
    expect(() => checkShares([0, 0.5, 2], 'fraction')).not.toThrow();
    expect(() => checkShares([0, 1], 'energy')).not.toThrow();
    expect(() => checkShares([1.1], 'energy')).toThrow('energy must be a number from 0 to 1, not 1.1');
    expect(() => checkShares([0.1, NaN], 'fraction')).toThrow('not NaN');
    expect(() => checkShares([0.1, '0.2'], 'fraction')).toThrow('not string');
    expect(() => checkShares([-0.1], 'fraction')).toThrow('from 0 to 2');
    expect(() => checkShares([], 'fraction')).toThrow('empty');
    expect(() => checkShares([0.1], 'rank' as 'energy')).toThrow('not by rank');
    for (const cut of [undefined, null, {}, { fraction: 0.1, energy: 0.9 }, { fraction: 'x' }, { energy: 2 }])
      expect(() => checkCut(cut)).toThrow(RangeError);
    expect(() => checkCut({ fraction: 0.2, energy: undefined })).not.toThrow();
  });
});

describe('curves in the store', () => {
  const with_ = (report: ReturnType<typeof reportOf>, before: AppState = initialState(), total = report.cuts.length) => ({
    ...before,
    ...withTruncation(before, report, report.cuts.length, total),
  });

  test('a first curve grows, a later one replaces it when it is complete, the answer to a slider does neither', () => {
    const first = with_(reportOf([0.1, 0.15]), initialState(), 11);
    expect(first.measuring).toEqual({ by: 'fraction', done: 2, total: 11 });
    expect(first.curves.fraction?.cuts).toHaveLength(2);
    const complete = with_(reportOf(), first);
    expect(complete.measuring).toBeNull();
    expect(complete.curves.fraction?.cuts.map((c) => c.fraction)).toEqual(CURVE_FRACTIONS);
    const later = with_(reportOf([0.1], 200), complete, 11);
    expect(later.curves.fraction?.step).toBe(100);
    expect(later.measuring?.done).toBe(1);
    expect(with_(reportOf(CURVE_FRACTIONS, 200), later).curves.fraction?.step).toBe(200);
    expect(withTruncation(complete, reportOf([0.33], 300), 1, 1)).toEqual({});
    expect(withTruncation(later, reportOf([0.1], 200), 1, 0)).toEqual({ measuring: null });
  });

  test('shares asked for of the same weights are put among those known, each once', () => {
    const more = with_(reportOf([0.33, 0.2, 0.9]), with_(reportOf()));
    const shares = more.curves.fraction!.cuts.map((c) => c.fraction);
    expect(shares).toHaveLength(12);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(with_(reportOf([0.5, 0.6, 0.7], 100, 'energy'), more).curves.energy?.cuts).toHaveLength(3);
  });

  test('a dense run leaves its curve to the next run of the same shapes, and curves of an older run are dropped', () => {
    const experiment = (name: 'adamw' | 'adamq3r') => {
      const base = presetExperiment('nano');
      return { ...base, method: { ...base.method, name } };
    };
    const truncation = (runId: number, step: number): Report => ({
      ...{ type: 'truncation', runId, step, report: reportOf(CURVE_FRACTIONS, step), done: 11, total: 11 },
    });
    const run = (runId: number, name: 'adamw' | 'adamq3r'): Report[] => [
      { type: 'experiment', runId, experiment: experiment(name) },
      { type: 'spectra', runId, step: 90, matrices: spectraOf(experiment(name), 1) },
    ];
    const state = [
      ...run(1, 'adamw'),
      { type: 'state', runId: 1, phase: 'finished', step: 90, totalSteps: 90, elapsedMs: 1, liveBytes: 1 } as Report,
      truncation(1, 90),
      ...run(2, 'adamq3r'),
      truncation(1, 91),
    ].reduce((s, report) => ({ ...s, ...applyReport(s, report) }), initialState());
    expect(state.curves).toEqual({});
    expect(state.baseline?.curves.fraction?.step).toBe(90);
    expect(state.baseline?.curves.fraction?.cuts).toHaveLength(11);
  });
});

describe('the slider', () => {
  let worker: FakeWorker;
  let answers: (() => void)[];
  const values = () => worker.asked.flatMap((c) => (c.type === 'truncate' ? c.values : []));
  beforeEach(() => {
    setState({ ...initialState(), runId: 1, phase: 'paused', step: 100, running: presetExperiment('nano') });
    answers = [];
    worker = new FakeWorker();
    useWorker(
      () =>
        (worker = new FakeWorker({
          truncate: async ({ values: shares, by }) => {
            await new Promise<void>((resolve) => answers.push(resolve));
            return reportOf(shares, 100, by);
          },
        })),
    );
  });
  const answer = async () => {
    await vi.waitFor(() => expect(answers.length).toBeGreaterThan(0));
    answers.shift()!();
    await new Promise((resolve) => setTimeout(resolve, 10));
  };

  test('one evaluation at a time, and the last place it stood at is the next', async () => {
    setCut(0.5);
    const first = evaluateCut();
    for (const at of [0.45, 0.4, 0.35]) {
      setCut(at);
      void evaluateCut();
    }
    expect(getState().cutBusy).toBe(true);
    await answer();
    await answer();
    await first;
    expect(values()).toEqual([0.5, 0.35]);
    expect(getState().cut).toMatchObject({ fraction: 0.35, by: 'fraction', full: { accuracy: 0.78 } });
    expect(getState().cutBusy).toBe(false);
    // Nothing new to ask of a run that stands still.
    await evaluateCut();
    expect(values()).toEqual([0.5, 0.35]);
  });

  test('without a run nothing is asked, and a failed evaluation leaves the slider usable', async () => {
    setState({ phase: 'idle' });
    await evaluateCut();
    expect(worker.asked).toEqual([]);
    setState({ phase: 'paused' });
    useWorker(() => (worker = new FakeWorker({ truncate: () => Promise.reject(new Error('no room')) })));
    await expect(evaluateCut()).rejects.toThrow('no room');
    expect(getState().cutBusy).toBe(false);
    await expect(evaluateCut()).rejects.toThrow('no room');
  });

  test('an answer that arrives after another run began is dropped', async () => {
    setCut(0.6);
    const asked = evaluateCut();
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    setState({ runId: 2, phase: 'idle', cut: null });
    await answer();
    await asked;
    expect(getState().cut).toBeNull();
  });

  test('values stay within 0 and 1, by energy and by fraction apart; a curve is not measured twice at once', async () => {
    setCut(7);
    setCutBy('energy');
    setCut(-1);
    expect(getState().cutAt).toEqual({ fraction: 1, energy: 0 });
    const first = measureCurve('energy');
    await measureCurve('energy');
    expect(getState().measuring).toMatchObject({ by: 'energy', done: 0 });
    await answer();
    await first;
    expect(getState().measuring).toBeNull();
    expect(worker.types).toEqual(['truncate']);
  });
});
