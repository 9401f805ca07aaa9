import { expect, test } from 'vitest';
import { chartRows, valueAxis } from '../../../app/ui/charts/chartData';
import { chartShape } from '../../../app/ui/charts/chartShape';
import { series } from './synthetic';

const PLOT = { width: 500, height: 100 };

test('steps run along the width and values down from the top of the axis', () => {
  const rows = chartRows(series(100, 200, 3, false, 50));
  const axis = { domain: [0, 4], ticks: [0, 2, 4], log: false, end: 0 } as const;
  const { main, raw, band, end } = chartShape('loss', rows, axis, 200, PLOT);
  expect(band).toBeNull();
  expect(raw).toHaveLength(100);
  expect(main.points).toHaveLength(100);
  expect(main.points[39]!.x).toBeCloseTo(100, 6);
  expect(main.points[39]!.y).toBeCloseTo(100 * (1 - rows[39]!.smooth! / 4), 1);
  expect(end).toEqual(main.points.at(-1));
});

test('on a log axis equal ratios are equal heights', () => {
  const rows = chartRows(series(3, 10));
  [8, 4, 2].forEach((v, i) => (rows[i]!.smooth = v));
  const { main } = chartShape('loss', rows, { domain: [1, 16], ticks: [1, 16], log: true, end: 0 }, 10, PLOT);
  expect(main.points.map(({ y }) => y)).toEqual([25, 50, 75]);
});

test('decimated losses have a band, validation leads the accuracy, and a baseline lies beside them', () => {
  const rows = chartRows(series(1200, 2000, 3, false, 200), series(2000, 2000, 5, true, 200));
  const loss = chartShape('loss', rows, valueAxis('loss', rows, false, 4), 2000, PLOT);
  expect(loss.raw).toHaveLength(0);
  expect(loss.band!.high.length).toBe(loss.band!.low.length);
  loss.band!.high.forEach(({ y }, i) => expect(y).toBeLessThanOrEqual(loss.band!.low[i]!.y));
  expect(loss.other.length).toBeGreaterThan(100);
  const accuracy = chartShape('accuracy', rows, valueAxis('accuracy', rows, false, 4), 2000, PLOT);
  expect(accuracy.main).toMatchObject({ measured: true });
  expect(accuracy.main.points).toHaveLength(6);
  expect(accuracy.raw.length).toBeGreaterThan(100);
});
