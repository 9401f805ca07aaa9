import { expect, test } from 'vitest';
import { History } from '../../../app/engine/train/history';
import { MAX_POINTS } from '../../../app/protocol/run/series';
import { Records } from '../../../app/store/records';

const record = (step: number) => ({
  step,
  epoch: step / 10,
  loss: 2 + Math.sin(step),
  regularizer: step,
  accuracy: 0.5,
  lr: 1 / step,
  gradNorm: 3,
});
const filled = (n: number): History => {
  const history = new History(1);
  for (let step = 1; step <= n; step++) history.push(record(step));
  return history;
};

test('records come back as they were pushed, past the first allocation', () => {
  const history = filled(3000);
  expect(history.records(2999)).toEqual([record(2999), record(3000)]);
  expect(() => history.push(record(5))).toThrow(/expects step 3001/);
});

test('a series has at most 400 points, ends at the newest step, and its band holds every raw value', () => {
  for (const n of [1, 2, 399, 400, 401, 5000]) {
    const history = filled(n);
    const s = history.series(0.9);
    expect(s.step.length).toBeLessThanOrEqual(MAX_POINTS);
    expect(s.step.at(-1)).toBe(n);
    const raw = history.records().map((r) => r.loss);
    expect(Math.max(...s.lossMax)).toBeCloseTo(Math.max(...raw), 5);
    expect(Math.min(...s.lossMin)).toBeCloseTo(Math.min(...raw), 5);
  }
});

test('smoothing looks at every step, not at the points drawn, and leaves a constant as it is', () => {
  const history = filled(1000);
  const coarse = history.series(0.95, 50);
  const fine = history.series(0.95, 1000);
  expect(coarse.lossSmooth.at(-1)).toBe(fine.lossSmooth.at(-1));
  const level = new History(1);
  for (let step = 1; step <= 30; step++) level.push({ ...record(step), loss: 1.5 });
  expect([...level.series(0.99).lossSmooth].every((x) => Math.abs(x - 1.5) < 1e-6)).toBe(true);
});

test('no smoothing gives the raw values', () => {
  const history = filled(20);
  expect([...history.series(0).lossSmooth]).toEqual(history.records().map((r) => Math.fround(r.loss)));
});

test('going back forgets later steps and validations', () => {
  const history = filled(100);
  history.pushEvaluation(50, 2, 0.3);
  history.pushEvaluation(100, 1, 0.4);
  history.truncate(60);
  expect(history.length).toBe(60);
  expect([...history.series(0).evalStep]).toEqual([50]);
  history.push(record(61));
  expect(history.length).toBe(61);
});

test('the page rebuilds the same records from what it is sent', () => {
  const history = filled(10);
  const records = new Records();
  records.begin(1, 0);
  records.append(1, 1, history.packed(1));
  for (let step = 11; step <= 2500; step++) history.push(record(step));
  records.append(1, 11, history.packed(11));
  expect(records.all()).toEqual(history.records());
  // A rollback sends everything anew.
  history.truncate(20);
  records.append(1, 1, history.packed(1));
  expect(records.length).toBe(20);
  records.begin(2, 0);
  expect(records.all()).toEqual([]);
});
