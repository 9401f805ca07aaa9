import { describe, expect, test } from 'vitest';
import { presetExperiment } from '../../app/protocol/presets';
import type { Experiment, MethodName } from '../../app/protocol/experiment';
import { applyReport } from '../../app/store/events';
import { initialState, type AppState } from '../../app/store/store';
import type { Report } from '../../app/store/workerClient';
import { seriesOf, spectraOf } from './fakeWorker';

const replay = (reports: Report[], from: AppState = initialState()): AppState =>
  reports.reduce((state, report) => ({ ...state, ...applyReport(state, report) }), from);
const experiment = (name: MethodName): Experiment => {
  const base = presetExperiment('nano');
  return { ...base, method: { ...base.method, name } };
};
const state = (runId: number, phase: AppState['phase'], step: number): Report => ({
  type: 'state',
  runId,
  phase,
  step,
  totalSteps: 100,
  elapsedMs: 5,
  liveBytes: 7,
});
const run = (runId: number, name: MethodName, end: number): Report[] => [
  { type: 'experiment', runId, experiment: experiment(name) },
  state(runId, 'running', 1),
  {
    type: 'series',
    runId,
    series: seriesOf(runId, end),
    latest: { step: end, epoch: 1, loss: 1, regularizer: 0, accuracy: 0.5, lr: 1e-3, gradNorm: 1 },
    from: 1,
    rows: new Float64Array(0),
  },
  { type: 'mark', runId, mark: { step: 3, field: 'method.lambda', from: 1, to: 2 } },
  { type: 'spectra', runId, step: end, matrices: spectraOf(experiment(name), 1) },
];
const lost = { kind: 'device-lost', message: 'gone', detail: 'destroyed', snapshotStep: 20 } as const;

describe('applyReport', () => {
  test('events of an older run change nothing', () => {
    const now = replay(run(2, 'adamq3r', 50));
    for (const report of [...run(1, 'adamw', 80), state(1, 'finished', 80)]) expect(applyReport(now, report)).toEqual({});
  });

  test('a newer run starts with empty charts', () => {
    const next = replay([state(2, 'preparing', 0)], replay(run(1, 'adamq3r', 50)));
    expect(next).toMatchObject({ runId: 2, series: null, latest: null, marks: [], spectra: null, step: 0, phase: 'preparing' });
  });

  test('a dense run stays as the ghost of the next run of the same shapes, whether it finished or was replaced', () => {
    for (const end of [[], [state(1, 'finished', 100)]]) {
      const next = replay([...run(1, 'adamw', 90), ...end, ...run(2, 'adamq3r', 10)]);
      expect(next.baseline?.label).toBe('Dense AdamW, step 90');
      expect(next.baseline?.matrices).toHaveLength(12);
      expect(next.baseline?.series?.runId).toBe(1);
    }
  });

  test('a regularized run is no baseline, nor is a dense one of other shapes', () => {
    expect(replay([...run(1, 'adamq3r', 90), ...run(2, 'adamq3r', 10)]).baseline).toBeNull();
    const wide = { ...experiment('adamq3r'), model: { ...experiment('adamq3r').model, embedDim: 64 } };
    const next = replay([...run(1, 'adamw', 90), { type: 'spectra', runId: 2, step: 1, matrices: spectraOf(wide, 0) }]);
    expect(next.baseline).toBeNull();
    expect(Object.keys(next.denseRuns)).toHaveLength(1);
  });

  test('a selection that no longer exists moves to a matrix that does', () => {
    const { selected } = replay(run(1, 'adamq3r', 5), { ...initialState(), selected: 'blocks.9.mlp.fc1.weight' });
    expect(selected).toBe('blocks.1.mlp.fc1.weight');
    expect(replay(run(1, 'adamq3r', 5), { ...initialState(), selected: 'blocks.0.mlp.fc2.weight' }).selected).toBe(
      'blocks.0.mlp.fc2.weight',
    );
  });

  test('a lost device that comes back clears the fault and says where training resumed', () => {
    const gone = replay([...run(1, 'adamq3r', 30), { type: 'fault', fault: lost }]);
    expect(gone).toMatchObject({ recovering: true, fault: { kind: 'device-lost' } });
    const back = replay([state(1, 'failed', 30), state(1, 'paused', 20), state(1, 'running', 20)], gone);
    expect(back).toMatchObject({ recovering: false, fault: null, phase: 'running' });
    expect(back.notices.at(-1)?.message).toContain('step 20');
  });

  test('errors of a device that has just gone do not hide its loss', () => {
    const gone = replay([...run(1, 'adamq3r', 30), { type: 'fault', fault: lost }]);
    const internal = { type: 'fault', fault: { kind: 'internal', message: 'm', detail: 'buffer of a lost device' } } as const;
    expect(replay([internal], gone)).toMatchObject({ recovering: true, fault: { kind: 'device-lost' } });
    expect(replay([internal], replay(run(1, 'adamq3r', 30)))).toMatchObject({ fault: { kind: 'internal' } });
  });

  test('a second report of the loss means that the device stays away', () => {
    const gone = replay([...run(1, 'adamq3r', 30), { type: 'fault', fault: lost }, { type: 'fault', fault: lost }]);
    expect(gone).toMatchObject({ recovering: false, phase: 'failed', fault: { kind: 'device-lost' } });
  });

  test('a device lost while idle is only a notice', () => {
    const idle = replay([{ type: 'fault', fault: lost }]);
    expect(idle.fault).toBeNull();
    expect(idle.notices).toHaveLength(1);
  });

  test('a fault during preparation ends it; one that stops nothing is a notice', () => {
    const failed = replay([state(1, 'preparing', 0), { type: 'fault', fault: { kind: 'out-of-memory', message: 'm', detail: 'd' } }], {
      ...initialState(),
      starting: true,
    });
    expect(failed).toMatchObject({ phase: 'failed', starting: false, fault: { kind: 'out-of-memory' } });
    const quota = replay([...run(1, 'adamq3r', 5), { type: 'fault', fault: { kind: 'storage-quota', message: 'full', detail: 'd' } }]);
    expect(quota).toMatchObject({ fault: null, phase: 'running' });
    expect(quota.notices[0]).toMatchObject({ message: 'full', lines: ['d'] });
  });

  test('notices: never the same twice, never more than four', () => {
    const notice = (message: string): Report => ({ type: 'notice', level: 'info', message });
    const { notices } = replay(['a', 'a', 'b', 'c', 'd', 'e'].map(notice));
    expect(notices.map((n) => n.message)).toEqual(['b', 'c', 'd', 'e']);
    expect(new Set(notices.map((n) => n.id)).size).toBe(4);
  });
});
