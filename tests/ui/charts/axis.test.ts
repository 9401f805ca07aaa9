import { describe, expect, test } from 'vitest';
import { columnsOf, MAX_POINTS, seriesOf } from '../../../app/protocol/run/series';
import { RECORD_WIDTH } from '../../../app/protocol/run/record';
import { share, stepAt, stepMap, stepShare, xScale, xTicks, type XScaleInput } from '../../../app/ui/charts/axis';
import { curveOf } from '../../../app/ui/charts/curves';
import { scaleOf } from './synthetic';

const pace = { stepsPerEpoch: 391, batchSize: 128, clock: Float64Array.of(10, 4000, 100, 22_000) };
const names = (given: Partial<XScaleInput>, count = 5, total = 19_550) => xTicks(scaleOf(total, given), count).map((t) => t.name);

describe('step maps', () => {
  test('steps, epochs, images and seconds, there and back', () => {
    for (const axis of ['step', 'epoch', 'images', 'seconds'] as const) {
      const map = stepMap(axis, pace)!;
      for (const step of [1, 5, 10, 55, 100, 250]) expect(map.from(map.to(step))).toBeCloseTo(step, 9);
    }
    expect(stepMap('images', pace)!.to(3)).toBe(384);
    expect(stepMap('epoch', pace)!.to(391)).toBeCloseTo(1, 12);
    // In proportion between two known times, and beyond the last at the mean pace.
    expect([5, 55, 200].map(stepMap('seconds', pace)!.to)).toEqual([2, 13, 44]);
  });
  test('nothing is made up where a run does not know', () => {
    expect(stepMap('seconds', { ...pace, clock: new Float64Array() })).toBeNull();
    expect(stepMap('epoch', { ...pace, stepsPerEpoch: 0 })).toBeNull();
  });
});

describe('the axis', () => {
  test('is the whole run, or the longest of those beside it, or the zoom', () => {
    expect(scaleOf(200)).toMatchObject({ low: 0, high: 200, zoomed: false });
    expect(scaleOf(200, { ends: [50, 900] })).toMatchObject({ low: 0, high: 900 });
    expect(scaleOf(200, { zoom: [20, 60] })).toMatchObject({ low: 20, high: 60, zoomed: true });
  });
  test('logarithmic, it begins at the first step and gives ratios equal room', () => {
    const x = scaleOf(1000, { log: true });
    expect([1, 10, 100, 1000].map((step) => stepShare(x, step))).toEqual([0, 1 / 3, 2 / 3, 1].map((v) => expect.closeTo(v, 9) as number));
    expect(share(x, 0)).toBeLessThan(-0.5);
    expect(stepAt(x, 0.5)).toBeCloseTo(Math.sqrt(1000), 6);
    // A zoom from step 0 has no logarithm: it begins at the first step, too.
    expect(scaleOf(1000, { log: true, zoom: [0, 100] }).low).toBe(1);
  });
  test('names the places, and the unit at its end', () => {
    expect(names({}, 4)).toEqual(['0', '5\u2009000', '10\u2009000', '15\u2009000', 'step 19\u2009550']);
    const epochs = xTicks(scaleOf(19_550, { axis: 'epoch', map: stepMap('epoch', pace)! }), 5).map((t) => t.name);
    expect(epochs).toEqual(['0', '10', '20', '30', '40', 'epoch 50']);
    expect(names({ log: true }, 6, 1000).slice(0, 2)).toEqual(['1', '10']);
    expect(names({ zoom: [100, 200] }, 4)).toEqual(['100', '150', 'step 200']);
    const time = xScale({ axis: 'seconds', log: false, zoom: null, map: stepMap('seconds', pace)!, step: 900, totalSteps: 900, ends: [] });
    expect(xTicks(time, 4).at(-1)!.name).toBe('3:18');
  });
});

describe('curves of a window', () => {
  const n = 100_000;
  const rows = new Float64Array(n * RECORD_WIDTH);
  for (let i = 0; i < n; i++) rows.set([i / 391, 2 - i / n + (i === 54_321 ? 5 : 0), 0, 0.5, 1e-3, 1], i * RECORD_WIDTH);
  const columns = columnsOf(rows);
  const whole = seriesOf(columns, [], { runId: 1, smoothing: 0.9 });

  test('a zoom shows every step of few, and the same average and extremes as the whole run', () => {
    const x = scaleOf(n, { zoom: [54_300, 54_400] });
    const zoomed = curveOf(columns, [{ step: 40_000, loss: 1, accuracy: 0.5 }], { runId: 1, smoothing: 0.9, x, map: x.map });
    expect(zoomed.step[0]).toBeLessThanOrEqual(54_300);
    expect(zoomed.step.at(-1)).toBeGreaterThanOrEqual(54_400);
    expect(zoomed.step[1]! - zoomed.step[0]!).toBe(1);
    const i = zoomed.step.indexOf(54_322);
    expect(zoomed.loss[i]).toBeGreaterThan(6);
    expect(Math.max(...whole.lossMax)).toBeCloseTo(zoomed.loss[i]!, 5);
    const end = whole.step.find((step) => step >= 54_330 && step <= 54_390) ?? NaN;
    if (Number.isFinite(end)) expect(zoomed.lossSmooth[zoomed.step.indexOf(end)]).toBe(whole.lossSmooth[whole.step.indexOf(end)]);
    // What was validated outside still has its place on the line that crosses the window.
    expect(zoomed.evalStep).toHaveLength(1);
  });
  test('on a logarithmic axis the intervals widen with the step, each step is in one, and old ones stay', () => {
    const log = seriesOf(columns, [], { runId: 1, smoothing: 0.9, log: true });
    expect(log.step.length).toBeLessThanOrEqual(MAX_POINTS);
    expect(log.step.length).toBeGreaterThan(MAX_POINTS / 3);
    expect([...log.step.slice(0, 4)]).toEqual([1, 2, 3, 4]);
    expect(log.step.at(-1)).toBe(n);
    for (let i = 1; i < log.step.length; i++) expect(log.step[i]!).toBeGreaterThan(log.step[i - 1]!);
    expect(Math.max(...log.lossMax)).toBeGreaterThan(6);
    expect(log.lossSmooth.at(-1)).toBe(whole.lossSmooth.at(-1));
    const later = seriesOf({ ...columns, length: n - 5000 }, [], { runId: 1, smoothing: 0.9, log: true });
    expect([...later.step.slice(0, 200)]).toEqual([...log.step.slice(0, 200)]);
  });
});
